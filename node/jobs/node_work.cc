// SPDX-License-Identifier: MIT
// What a target does by itself, begun by hand: these kinds start it, and watch it to its end.
#include "node/jobs/kinds.h"

namespace aisfs::jobs {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(200);

class StartScrub final : public Kind {
 public:
  Task<Status> run(JobRun& run) const override {
    target::Scrubber& scrubber = *run.deps.scrubber;
    scrubber.start();  // nothing when one runs
    while (true) {
      const ScrubProgress p = scrubber.progress();
      run.progress.counts.objects = p.objects;
      run.progress.counts.bytes = p.bytes;
      run.progress.total = p.objects_total;
      run.progress.counts.errors = p.damaged - std::min(p.damaged, p.healed);
      if (run.progress.counts.errors > 0) run.progress.error = "damaged; see ais storage scrub";
      if (!p.running) co_return Status{};
      if (run.is_stopped()) scrubber.stop();
      CO_CHECK_OK(co_await run.deps.clock.sleep(kLookEvery));
    }
  }
};

class StartRebalance final : public Kind {
 public:
  Task<Status> run(JobRun& run) const override {
    target::Rebalancer& rebalancer = *run.deps.rebalancer;
    rebalancer.ask_walk();
    while (rebalancer.wants_walk() && !run.is_stopped()) {
      CO_CHECK_OK(co_await run.deps.clock.sleep(kLookEvery));
      note(run, rebalancer.progress());
    }
    note(run, rebalancer.progress());
    co_return Status{};
  }

 private:
  static void note(JobRun& run, const RebalanceProgress& p) {
    run.progress.counts.objects = p.names_moved;
    run.progress.counts.bytes = p.bytes_moved;
    run.progress.total = p.names_total;
  }
};

/// There is nothing to start: names that are not at their places make it run.
class StartResilver final : public Kind {
 public:
  Task<Status> run(JobRun& run) const override {
    while (!run.is_stopped()) {
      const StorageInfo storage = run.deps.store->storage();
      run.progress.counts.objects = storage.resilver.names_moved;
      run.progress.counts.bytes = storage.resilver.bytes_moved;
      run.progress.total = storage.resilver.names_total;
      run.progress.waiting = storage.resilver.names_left > 0 ? storage.resilver.why : "";
      if (storage.settled) co_return Status{};
      CO_CHECK_OK(co_await run.deps.clock.sleep(kLookEvery));
    }
    co_return Status{};
  }
};

/// Objects whose bucket says so become slices, or whole again, and what is missing is made anew.
class StartEncode final : public Kind {
 public:
  Task<Status> run(JobRun& run) const override {
    target::Slicer& slicer = run.deps.target->slicer();
    const std::uint64_t asked = slicer.look_again();
    const target::Slicer::Progress before = slicer.progress();
    while (!run.is_stopped()) {
      const bool done = slicer.has_looked(asked);
      const target::Slicer::Progress p = slicer.progress();
      run.progress.counts.objects = p.split + p.repaired - before.split - before.repaired;
      run.progress.counts.errors = p.lost;
      if (p.lost > 0) run.progress.error = "objects are lost; see ais storage scrub";
      run.progress.waiting = p.left > 0 ? "targets are missing or do not answer" : "";
      if (done) co_return Status{};
      CO_CHECK_OK(co_await run.deps.clock.sleep(kLookEvery));
    }
    co_return Status{};
  }
};

/// What requests left for the background comes to its end: renames between targets, and what was
/// acknowledged at a low level reaches the disks. Work files and what was deleted need no job.
class StartCleanup final : public Kind {
 public:
  Task<Status> run(JobRun& run) const override {
    while (run.deps.target->has_open_renames()) {
      if (run.is_stopped()) co_return Status{};
      run.progress.waiting = "renames between targets are under way";
      CO_CHECK_OK(co_await run.deps.clock.sleep(kLookEvery));
    }
    run.progress.waiting.clear();
    co_return co_await run.deps.store->sync_all();
  }
};

}  // namespace

const Kind& start_scrub() {
  static const StartScrub kind;
  return kind;
}
const Kind& start_rebalance() {
  static const StartRebalance kind;
  return kind;
}
const Kind& start_resilver() {
  static const StartResilver kind;
  return kind;
}
const Kind& start_encode() {
  static const StartEncode kind;
  return kind;
}
const Kind& start_cleanup() {
  static const StartCleanup kind;
  return kind;
}

}  // namespace aisfs::jobs
