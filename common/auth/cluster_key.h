// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::auth {

/// The secret that makes a node a member: 32 random bytes in a file of mode 0600. Never used
/// itself; each purpose has a key derived by HMAC-SHA256 with a label of its own.
class ClusterKey {
 public:
  static constexpr std::size_t kBytes = 32;

  static ClusterKey generate();
  /// 64 hex digits, spaces around them allowed.
  static Result<ClusterKey> parse(std::string_view hex);
  /// Blocking. permission_denied when group or others may read the file.
  static Result<ClusterKey> load(const std::string& file);
  /// Blocking; the file must not exist (already_exists).
  Status save(const std::string& file) const;

  const std::string& join() const { return join_; }    // lets a node in
  const std::string& node() const { return node_; }    // signs requests between nodes
  const std::string& seal() const { return seal_; }    // encrypts secrets of users
  const std::string& token() const { return token_; }  // signs bearer tokens

 private:
  explicit ClusterKey(std::string secret);

  std::string secret_;
  std::string join_, node_, seal_, token_;
};

}  // namespace aisfs::auth
