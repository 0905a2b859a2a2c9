// SPDX-License-Identifier: MIT
#pragma once
#include "common/model/name_template.h"
#include "node/jobs/kind.h"

namespace aisfs::jobs {

/// Brings the names of a job that this target owns to its kind, some at a time, in order.
///
/// A name belongs to one target in one placement. When the placement changes, all targets begin
/// again: a name may have moved from one that had not come to it to one that had passed it. Where
/// nothing moves a target looks at its own share of the bucket, else at a listing of the whole
/// cluster, which knows where everything is.
class Walk {
 public:
  /// Both outlive it.
  Walk(const NameKind& kind, JobRun& run) : kind_(kind), run_(run) {}

  /// To the end, or until it is stopped. An error ends the job: its bucket has gone, disks are
  /// full.
  Task<Status> run();

 private:
  using Name = NameKind::Name;
  struct Page {
    std::vector<Name> names;
    std::string cursor;  // when they are done
    bool more = false;
  };

  /// Whether names are placed as when this pass began, and nobody is about to change that.
  bool is_placed() const;
  void begin_pass(const ClusterMap& map);
  /// stale_map: names are placed anew.
  Task<Status> pass();
  /// Sets the number of this target's names where it is cheap.
  Task<Status> count_names();
  Task<Result<Page>> next_page();
  Task<Result<Page>> listed_page();
  Result<Page> given_page() const;
  std::uint64_t given_count() const;
  std::string given_name(std::uint64_t index) const;
  Task<Result<ListPage>> list(MapSnapshot map, const Bucket& bucket, std::uint32_t limit);
  /// The source; not_found when it, or where copies go, is not there any more.
  Result<Bucket> bucket_of(const ClusterMap& map) const;
  /// A gateway has seen nothing in the source any more, and removed it.
  bool is_emptied() const;
  bool is_mine(const ClusterMap& map, const ObjectName& name) const;

  Task<void> act_on_all(std::vector<Name> names);
  Task<void> act_on_next(std::vector<Name>& names, std::size_t& next);
  Task<void> act_on(Name name);
  /// After an error that may pass; false when there is no need to wait any more.
  Task<bool> wait_for(const Error& why);

  const NameKind& kind_;
  JobRun& run_;
  std::string prefix_;
  std::optional<NameTemplate> template_;  // with ranges
  Status failed_;                         // what ends the pass
};

}  // namespace aisfs::jobs
