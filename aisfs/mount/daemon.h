// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace aisfs::mount {

/// Going into the background so that the exit status tells the truth.
///
/// detach() forks; the first process waits until the second says ready() (exit 0), fail() (prints
/// the text, exit 1) or dies. Call it before any thread is started.
class Daemon {
 public:
  /// Returns in the background process only.
  static Result<Daemon> detach();
  /// For -f: nothing to tell anyone; fail() prints.
  static Daemon foreground() { return Daemon(); }

  /// The mount works. From here on stdin, stdout and stderr are /dev/null.
  void ready();
  void fail(const std::string& why);

 private:
  Daemon() = default;
  UniqueFd tell_;
};

}  // namespace aisfs::mount
