// SPDX-License-Identifier: MIT
#pragma once
#include "common/base/unique_fd.h"

namespace aisfs::http {

/// A pipe through which bytes go from one socket to another inside the kernel. A thread keeps some
/// empty ones. One owner.
class SplicePipe {
 public:
  static constexpr std::size_t kBytes = 1024 * 1024;  // less where the kernel allows less

  /// Empty. Not ok() when the process has no more descriptors.
  static SplicePipe take();
  bool ok() const { return out_.get() >= 0; }
  int in() const { return in_.get(); }
  int out() const { return out_.get(); }
  /// Of an empty one; others are closed when they go.
  void give_back();

 private:
  UniqueFd in_, out_;
};

}  // namespace aisfs::http
