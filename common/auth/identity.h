// SPDX-License-Identifier: MIT
#pragma once
#include <string>

namespace aisfs::auth {

/// Who a request comes from. Only a Verifier makes one from a request (or a node for its own
/// background work), so a handler that has one knows that it was checked.
class Identity {
 public:
  enum class Kind : unsigned char { kAnonymous, kUser, kAdmin, kNode };

  Identity() = default;  // anonymous: may nothing

  Kind kind() const { return kind_; }
  /// The user id; for a node's own work its node id. Empty when anonymous.
  const std::string& user() const { return user_; }
  const std::string& display_name() const { return display_name_; }
  bool is_anonymous() const { return kind_ == Kind::kAnonymous; }
  /// May do everything: administrators, and nodes in their own name.
  bool is_admin() const { return kind_ == Kind::kAdmin || kind_ == Kind::kNode; }

 private:
  friend class Verifier;        // common/auth/verifier.h: from a request
  friend Identity node_identity(std::string node_id);
  friend Identity test_identity(std::string user, bool admin);

  Identity(Kind kind, std::string user, std::string display_name)
      : kind_(kind), user_(std::move(user)), display_name_(std::move(display_name)) {}

  Kind kind_ = Kind::kAnonymous;
  std::string user_;
  std::string display_name_;
};

/// For work that a node does of itself: recovery, rewriting of renamed names.
inline Identity node_identity(std::string node_id) {
  return Identity(Identity::Kind::kNode, std::move(node_id), {});
}

/// For tests, which have no requests to verify.
inline Identity test_identity(std::string user, bool admin) {
  std::string name = user;
  return Identity(admin ? Identity::Kind::kAdmin : Identity::Kind::kUser, std::move(user),
                  std::move(name));
}

}  // namespace aisfs::auth
