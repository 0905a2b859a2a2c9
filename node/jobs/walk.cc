// SPDX-License-Identifier: MIT
#include "node/jobs/walk.h"

#include <algorithm>

#include "common/async/scope.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"

namespace aisfs::jobs {
namespace {

constexpr std::uint32_t kPage = 256;
constexpr std::uint32_t kCountPage = 1000;
// Of a target's share: enough to keep disks and network busy, few enough to leave both to users.
constexpr std::size_t kAtOnce = 4;
constexpr Duration kAgain = std::chrono::milliseconds(500);

/// Somebody is away, or busy: what cannot be done now may be possible soon.
bool may_pass(const Error& error) {
  switch (error.code()) {
    case Errc::unreachable:
    case Errc::timed_out:
    case Errc::not_ready:
    case Errc::stale_map:
    case Errc::overloaded:
    case Errc::busy:
    case Errc::cancelled:  // a node that is ending; of this one it is the end all the same
      return true;
    default:
      return false;
  }
}

/// The next name will not fare better.
bool ends_job(const Error& error) { return error == Errc::no_space || error == Errc::read_only; }

}  // namespace

Task<Status> NameKind::run(JobRun& run) const {
  Walk walk(*this, run);
  co_return co_await walk.run();
}

// --- passes -------------------------------------------------------------------------------------

bool Walk::is_placed() const {
  const MapSnapshot map = run_.deps.maps.current();
  return map->placement.next.empty() && map->placement.since == run_.progress.placement;
}

void Walk::begin_pass(const ClusterMap& map) {
  JobProgress& p = run_.progress;
  const bool goes_on = p.placement == map.placement.since && p.round == run_.job.round;
  if (goes_on && !p.done) {
    p.counts = p.at_cursor;  // what comes behind it is counted again
    return;
  }
  // What another round looks at is what has come since.
  JobCounts before;
  if (p.placement == map.placement.since && p.round != run_.job.round) before = p.counts;
  before.errors = 0;
  p = {.runs = p.runs,
       .round = run_.job.round,
       .placement = map.placement.since,
       .counts = before,
       .at_cursor = before,
       .started_ns = p.started_ns};
}

Task<Status> Walk::run() {
  const JobSpec& spec = run_.job.spec;
  prefix_ = spec.prefix;
  if (!spec.name_template.empty()) {
    CO_TRY(template_, NameTemplate::parse(spec.name_template));
    if (template_->is_prefix()) prefix_ = template_->head();
    if (template_->is_prefix()) template_.reset();
  }
  while (!run_.is_stopped()) {
    const MapSnapshot map = run_.deps.maps.current();
    if (!map->placement.next.empty()) {
      run_.progress.waiting = "targets are changing";
      CO_CHECK_OK(co_await run_.deps.clock.sleep(kAgain));
      continue;
    }
    begin_pass(*map);
    Status passed = co_await pass();
    if (!passed && is_emptied()) passed = Status{};
    if (passed && !is_placed()) passed = Error(Errc::stale_map);
    if (passed && !run_.is_stopped()) run_.progress.done = true;
    if (passed || passed.error() != Errc::stale_map) co_return passed;
    LOG_INFO("job begins again: names are placed anew", "job", display_of(run_.job));
  }
  co_return Status{};
}

Task<Status> Walk::pass() {
  CO_CHECK_OK(co_await count_names());
  for (bool more = true; more && !run_.is_stopped();) {
    CO_TRY(Page page, co_await next_page());
    if (run_.is_stopped()) break;
    failed_ = {};
    co_await act_on_all(std::move(page.names));
    CO_CHECK_OK(failed_);
    if (run_.is_stopped()) break;
    run_.progress.cursor = std::move(page.cursor);
    run_.progress.at_cursor = run_.progress.counts;
    more = page.more;
  }
  co_return Status{};
}

// --- which names --------------------------------------------------------------------------------

Result<Bucket> Walk::bucket_of(const ClusterMap& map) const {
  const Job& job = run_.job;
  const auto gone = [](const BucketName& name) {
    return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist any more");
  };
  const Bucket* from = map.find_bucket(job.bucket_id);
  if (from == nullptr) return gone(job.spec.bucket);
  const bool writes = job.to_id != BucketId{};
  if (writes && map.find_bucket(job.to_id) == nullptr) return gone(job.spec.to);
  return *from;
}

bool Walk::is_emptied() const {
  const MapSnapshot map = run_.deps.maps.current();
  return kind_.empties_source() && map->find_bucket(run_.job.bucket_id) == nullptr;
}

bool Walk::is_mine(const ClusterMap& map, const ObjectName& name) const {
  const NodeInfo* owner = placement::owner_of(map, name);
  return owner != nullptr && owner->id == run_.deps.node_id;
}

Task<Result<ListPage>> Walk::list(MapSnapshot map, const Bucket& bucket, std::uint32_t limit) {
  ListOptions options;
  options.prefix = prefix_;
  options.after = run_.progress.cursor;
  options.limit = limit;
  Context context = run_.context();
  const bool at_rest =
      map->placement.settled() && !placement::has_mappings(*map, run_.job.bucket_id);
  if (!at_rest) {
    co_return co_await run_.deps.cluster.list(std::move(context), bucket.name, std::move(options));
  }
  context.epoch = map->epoch;
  co_return co_await run_.deps.here.list(std::move(context), bucket.name, std::move(options));
}

Task<Status> Walk::count_names() {
  if (!run_.names.empty() || template_ || !run_.progress.cursor.empty()) co_return Status{};
  const MapSnapshot map = run_.deps.maps.current();
  CO_TRY(const Bucket bucket, bucket_of(*map));
  if (!map->placement.settled() || placement::has_mappings(*map, bucket.id)) co_return Status{};
  std::uint64_t count = 0;
  ListOptions options;
  options.prefix = prefix_;
  options.limit = kCountPage;
  for (bool more = true; more && !run_.is_stopped();) {
    const auto page = co_await run_.deps.here.list(run_.context(), bucket.name, options);
    if (!page) co_return Status{};  // it is but a number
    for (const ListEntry& entry : page->entries) {
      if (is_mine(*map, {bucket.name, entry.key})) ++count;
    }
    more = page->more;
    options.after = page->next;
  }
  const JobCounts& before = run_.progress.counts;
  run_.progress.total = before.objects + before.skipped + count;
  co_return Status{};
}

Task<Result<Walk::Page>> Walk::next_page() {
  while (true) {
    if (!is_placed()) co_return Error(Errc::stale_map, "names are placed anew");
    CO_TRY([[maybe_unused]] const Bucket bucket, bucket_of(*run_.deps.maps.current()));
    Result<Page> page = Page{};
    if (!run_.names.empty() || template_) {
      page = given_page();
    } else {
      page = co_await listed_page();
    }
    if (page && is_placed()) co_return page;
    if (page || may_pass(page.error())) {
      const Error why = page ? Error(Errc::stale_map) : page.error();
      if (co_await wait_for(why)) continue;
      CO_CHECK_OK(failed_);
      co_return Page{};  // it was stopped
    }
    co_return page;
  }
}

Task<Result<Walk::Page>> Walk::listed_page() {
  const MapSnapshot map = run_.deps.maps.current();
  CO_TRY(const Bucket bucket, bucket_of(*map));
  CO_TRY(ListPage listed, co_await list(map, bucket, kPage));
  const MapSnapshot after = run_.deps.maps.current();
  if (placement::has_mappings(*after, bucket.id) != placement::has_mappings(*map, bucket.id)) {
    co_return Error(Errc::stale_map, "a directory was renamed meanwhile");
  }
  Page page{.names = {}, .cursor = listed.next, .more = listed.more};
  for (ListEntry& entry : listed.entries) {
    ObjectName name{bucket.name, std::move(entry.key)};
    if (!is_mine(*map, name)) continue;
    page.names.push_back({std::move(name), std::move(entry.info)});
  }
  co_return page;
}

std::uint64_t Walk::given_count() const {
  return template_ ? template_->count() : run_.names.size();
}

std::string Walk::given_name(std::uint64_t index) const {
  return template_ ? template_->at(index) : run_.names[index];
}

Result<Walk::Page> Walk::given_page() const {
  const MapSnapshot map = run_.deps.maps.current();
  TRY(const Bucket bucket, bucket_of(*map));
  std::uint64_t index = parse_u64(run_.progress.cursor).value_or(0);
  // Of a long template most names are those of others.
  constexpr std::uint64_t kLookedAt = 2000;
  const std::uint64_t end = std::min(given_count(), index + kLookedAt);
  Page page;
  for (; index < end && page.names.size() < kPage; ++index) {
    ObjectName name{bucket.name, given_name(index)};
    if (is_mine(*map, name)) page.names.push_back({std::move(name), {}});
  }
  page.cursor = std::to_string(index);
  page.more = index < given_count();
  return page;
}

// --- what is done with them ----------------------------------------------------------------------

Task<void> Walk::act_on_all(std::vector<Name> names) {
  TaskScope scope(co_await asio::this_coro::executor);
  std::size_t next = 0;
  for (std::size_t i = 0; i < std::min(kAtOnce, names.size()); ++i) {
    scope.spawn(act_on_next(names, next));
  }
  co_await scope.join();
}

Task<void> Walk::act_on_next(std::vector<Name>& names, std::size_t& next) {
  while (next < names.size() && failed_ && !run_.is_stopped()) {
    Name name = std::move(names[next++]);
    co_await act_on(std::move(name));
  }
}

Task<void> Walk::act_on(Name name) {
  JobProgress& p = run_.progress;
  while (!run_.is_stopped() && failed_) {
    const auto done = co_await kind_.act(run_, name);
    if (done) {
      ++(done->changed ? p.counts.objects : p.counts.skipped);
      p.counts.bytes += done->bytes;
      p.waiting.clear();
      co_return;
    }
    const Error& why = done.error();
    name.again = true;
    if (auto there = bucket_of(*run_.deps.maps.current()); !there) {
      failed_ = std::move(there).error();
    } else if (ends_job(why)) {
      failed_ = why;
    } else if (may_pass(why)) {
      if (!co_await wait_for(why)) co_return;
    } else if (why == Errc::not_found && (name.info || template_)) {
      ++p.counts.skipped;  // it went after it was listed, or is a gap in the template
      co_return;
    } else {
      LOG_INFO("a job could not do its work", "job", display_of(run_.job), "object",
               name.object.display(), "why", why.what());
      run_.note_error(why);
      co_return;
    }
  }
}

Task<bool> Walk::wait_for(const Error& why) {
  constexpr std::size_t kTextMax = 300;
  run_.progress.waiting = why.what().substr(0, kTextMax);
  if (!is_placed()) {
    failed_ = Error(Errc::stale_map, "names are placed anew");
    co_return true;  // the pass ends by itself
  }
  const Status slept = co_await run_.deps.clock.sleep(kAgain);
  if (!slept) failed_ = slept.error();
  co_return slept.ok() && !run_.is_stopped();
}

}  // namespace aisfs::jobs
