// SPDX-License-Identifier: MIT
#include "node/jobs/kinds.h"

namespace aisfs::jobs {
namespace {

class RemoveNames final : public NameKind {
 public:
  Task<Result<Done>> act(JobRun& run, Name name) const override {
    if (run.job.spec.dry_run) co_return Done{.bytes = name.info ? name.info->size : 0};
    std::uint64_t size = name.info ? name.info->size : 0;
    RemoveOptions options;
    if (run.is_repeated() || name.again) {
      Conditions any;
      const auto there = co_await run.deps.cluster.head(run.context(), name.object, std::move(any));
      if (!there && there.error() == Errc::not_found) co_return Done{.changed = false};
      if (!there) co_return there.error();
      // What was put there after the job began is not what was meant.
      if (there->modified_ns >= run.job.started_ns) co_return Done{.changed = false};
      options.conditions.if_content_version = there->content_version;
      size = there->size;
    }
    const Status gone =
        co_await run.deps.cluster.remove(run.context(), std::move(name.object), std::move(options));
    if (gone) co_return Done{.bytes = size};
    const bool nothing =
        gone.error() == Errc::not_found || gone.error() == Errc::precondition_failed;
    if (nothing) co_return Done{.changed = false};
    co_return gone.error();
  }
};

}  // namespace

const Kind& remove_names() {
  static const RemoveNames kind;
  return kind;
}

}  // namespace aisfs::jobs
