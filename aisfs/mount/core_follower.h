// SPDX-License-Identifier: MIT
#pragma once
#include <sched.h>

#include <cstdint>

#include "common/async/task.h"

namespace aisfs::mount {

/// Keeps the thread that answers the kernel on the core of the thread that asks.
///
/// A thread that makes one small request after another waits for each answer, so the two never run
/// at the same time; nor, mostly, do two such threads with one that serves both (rsync's). On two
/// cores every request and every answer wakes a core that sleeps, which on a virtual machine takes
/// longer than the work itself; the scheduler prefers an idle core all the same. Where more threads
/// ask, or bytes are moved, work can overlap: then the thread runs anywhere. Looks at it every
/// millisecond. Belongs to one thread.
class CoreFollower {
 public:
  /// May use the cores that the thread may use now.
  CoreFollower();

  /// For each request, before it is worked on. `thread`: who asks, as FUSE says it.
  void note(std::int32_t thread, std::uint64_t bytes, TimePoint now);
  /// Now and then: without requests for a while the thread may run anywhere again.
  void rest(TimePoint now);

 private:
  void follow();
  void stay_on(int core);  // kAnywhere: all of `allowed_`

  static constexpr int kAnywhere = -1;

  cpu_set_t allowed_;
  int core_ = kAnywhere;
  TimePoint period_ends_;
  std::int32_t first_ = 0, second_ = 0;  // who asked in this period; one only: the same
  std::uint32_t requests_ = 0, others_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace aisfs::mount
