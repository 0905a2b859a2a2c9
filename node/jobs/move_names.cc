// SPDX-License-Identifier: MIT
#include "node/jobs/kinds.h"

namespace aisfs::jobs {
namespace {

// Between two looks at the name somebody else has changed it.
constexpr int kRacesMax = 16;

class MoveNames final : public NameKind {
 public:
  bool empties_source() const override { return true; }

  /// First a copy, then the old name goes, if it still is what was copied: what is written to
  /// either name meanwhile is never lost, and where both were written the newer one stays.
  Task<Result<Done>> act(JobRun& run, Name name) const override {
    const JobSpec& spec = run.job.spec;
    if (spec.dry_run) co_return Done{.bytes = name.info ? name.info->size : 0};
    const ObjectName to{spec.to, name.object.key};
    Conditions any;
    for (int race = 0; race < kRacesMax; ++race) {
      const auto from = co_await run.deps.cluster.head(run.context(), name.object, any);
      if (!from && from.error() == Errc::not_found) co_return Done{.changed = race > 0};
      if (!from) co_return from.error();
      Status moved = co_await copy(run, name.object, *from, to);
      if (moved) moved = co_await remove(run, name.object, *from);
      if (moved) co_return Done{.bytes = from->size};
      const bool raced = moved.error() == Errc::precondition_failed ||
                         moved.error() == Errc::already_exists || moved.error() == Errc::not_found;
      if (!raced) co_return std::move(moved).error();
    }
    co_return Error(Errc::busy, name.object.display() + " changes all the time");
  }

 private:
  static Task<Status> copy(JobRun& run, ObjectName from, ObjectInfo info, ObjectName to) {
    Conditions any;
    const auto there = co_await run.deps.cluster.head(run.context(), to, std::move(any));
    if (!there && there.error() != Errc::not_found) co_return there.error();
    if (there && there->meta_version > info.meta_version) co_return Status{};
    CopyOptions options{.put = {.level = Durability::kNone}};  // the bucket's level holds
    options.source_conditions.if_meta_version = info.meta_version;
    options.destination_conditions.must_not_exist = !there;
    if (there) options.destination_conditions.if_meta_version = there->meta_version;
    auto made = co_await run.deps.cluster.copy(run.context(info.size), std::move(from),
                                               std::move(to), std::move(options));
    co_return made ? Status{} : Status(std::move(made).error());
  }

  static Task<Status> remove(JobRun& run, ObjectName name, ObjectInfo info) {
    RemoveOptions options;
    options.conditions.if_meta_version = info.meta_version;
    co_return co_await run.deps.cluster.remove(run.context(), std::move(name), std::move(options));
  }
};

}  // namespace

const Kind& move_names() {
  static const MoveNames kind;
  return kind;
}

}  // namespace aisfs::jobs
