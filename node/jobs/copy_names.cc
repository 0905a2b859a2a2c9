// SPDX-License-Identifier: MIT
#include "node/jobs/kinds.h"

namespace aisfs::jobs {
namespace {

/// "a/b.jpg" of extensions jpg -> png is "a/b.png".
std::string with_extension(const JobSpec& spec, std::string key) {
  const auto dot = key.rfind('.');
  if (dot == key.npos || key.find('/', dot) != key.npos) return key;
  const auto replaced = spec.extensions.find(key.substr(dot + 1));
  if (replaced != spec.extensions.end()) key.replace(dot + 1, key.npos, replaced->second);
  return key;
}

class CopyNames final : public NameKind {
 public:
  Task<Result<Done>> act(JobRun& run, Name name) const override {
    const JobSpec& spec = run.job.spec;
    Conditions any;
    if (!name.info) {
      CO_TRY(name.info, co_await run.deps.cluster.head(run.context(), name.object, any));
    }
    const std::uint64_t size = name.info->size;
    if (spec.dry_run) co_return Done{.bytes = size};
    const ObjectName to{spec.to, spec.prepend + with_extension(spec, name.object.key)};
    CO_CHECK_OK(validate_key(to.key));
    CopyOptions options{.put = {.level = Durability::kNone}};  // the bucket's level holds
    const bool repeated = run.is_repeated() || name.again;
    if (repeated) {
      auto there = co_await run.deps.cluster.head(run.context(), to, any);
      if (!there && there.error() != Errc::not_found) co_return std::move(there).error();
      // Made since the job began: by it, or by somebody whose object is not to be replaced.
      if (there && there->modified_ns >= run.job.started_ns) co_return Done{.bytes = size};
      // And not by somebody in between.
      options.destination_conditions.must_not_exist = !there;
      if (there) options.destination_conditions.if_content_version = there->content_version;
    }
    const auto made =
        co_await run.deps.cluster.copy(run.context(size), name.object, to, std::move(options));
    if (made) co_return Done{.bytes = size};
    const bool raced = repeated && (made.error() == Errc::precondition_failed ||
                                    made.error() == Errc::already_exists);
    if (raced) co_return Done{.changed = false};
    co_return made.error();
  }
};

}  // namespace

const Kind& copy_names() {
  static const CopyNames kind;
  return kind;
}

}  // namespace aisfs::jobs
