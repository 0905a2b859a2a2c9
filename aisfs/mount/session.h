// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aisfs/ops/mount_state.h"
#include "common/async/runtime.h"

namespace aisfs::mount {

struct SessionOptions {
  std::string mountpoint;
  std::vector<std::string> kernel_options;  // allow_other, ro, fsname=..., auto_unmount
  /// Called once the mount answers, on a thread of its own.
  std::function<void()> on_ready;
};

/// A mounted file system: from mount(2) to the last answer.
///
/// run() blocks the calling thread until SIGTERM, SIGINT, SIGHUP or an unmount, then publishes what
/// is dirty and unmounts. It blocks these signals in its thread for good; to be ended by one that is
/// sent to the process, they have to be blocked in all threads. The cluster and the runtime
/// (started; the mount lives on its shard 0) outlive it.
class Session {
 public:
  using Cluster = ops::Mount::Cluster;
  Session(Runtime& runtime, Cluster cluster, fs::Options options);
  ~Session();

  /// The first error: of mounting (with the remedy), or of data that could not be published.
  Status run(SessionOptions options);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::mount
