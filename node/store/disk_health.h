// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "common/async/task.h"

namespace aisfs::store {

/// Whether a mountpath's disk does what a disk does: every two seconds, and at once when an
/// operation has met an error, a block is written, synced and read back, by a thread of its own.
///
/// It fails when the disk reports an error, has become read-only, or is not the one at the path any
/// more (pulled, swapped, unmounted); a full one is none of these. Whoever hears of it is called
/// once, on that thread; the probes end with it. The destructor waits for the probe under way,
/// which a disk that hangs does not end.
class DiskHealth {
 public:
  struct Options {
    int root = -1;     // of the mountpath, outlives this
    std::string path;  // where it should be
    std::string uuid;  // what its %id should say
    std::function<void(const Error& why)> on_failed;
  };
  static constexpr Duration kEvery = std::chrono::seconds(2);
  /// A probe that takes longer means a disk that is of no use.
  static constexpr Duration kSlow = std::chrono::seconds(10);

  explicit DiskHealth(Options options);
  ~DiskHealth();

  /// An operation has met an error: looks at once. Any thread.
  void suspect();
  /// True when the probe under way takes longer than kSlow. Any thread.
  bool is_stuck() const;

 private:
  void loop();

  const Options options_;
  std::atomic<std::int64_t> began_ = 0;  // steady ns; 0: no probe is under way
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false, suspected_ = false;  // guarded by mutex_
  std::thread thread_;
};

/// One look, as above. Blocks.
Status probe_disk(int root, const std::string& path, const std::string& uuid);

/// Whether an error of an operation may be one of the disk.
bool is_disk_error(const Error& error);

}  // namespace aisfs::store
