// SPDX-License-Identifier: MIT
#include "node/store/mountpaths.h"

#include <algorithm>

#include "common/obs/log.h"
#include "common/placement/hrw.h"

namespace aisfs::store {
namespace {

using State = MountpathEntry::State;

constexpr Duration kLookEvery = std::chrono::milliseconds(200);
// Longer than a healthy disk takes for a small file, shorter than anybody's patience with a change.
constexpr Duration kAllMax = std::chrono::seconds(3);

std::vector<std::uint64_t> digests_of(const PlacedOn& paths) {
  std::vector<std::uint64_t> digests;
  for (const std::string& path : paths) digests.push_back(placement::digest(path));
  return digests;
}

Lack lack_of(const MountpathEntry& entry) {
  Lack lack{.path = entry.path,
            .why = entry.why.empty() ? std::string(text_of(entry.state)) : entry.why,
            .digest = placement::digest(entry.path),
            .held = {},
            .buckets = entry.buckets,
            .newer_until = entry.newer_until,
            .copied = entry.copied};
  for (const PlacedOn& placement : entry.held) lack.held.push_back(digests_of(placement));
  return lack;
}

/// Work on all mountpaths that somebody waits for, for a while.
struct Counted {
  std::mutex mutex;
  std::condition_variable done;
  std::size_t left = 0, succeeded = 0;  // guarded by mutex
  Status failed;                        // guarded by mutex

  void add(Status one) {
    const std::lock_guard lock(mutex);
    one.ok() ? void(++succeeded) : void(failed = std::move(one));
    --left;
    done.notify_all();
  }
};

}  // namespace

// --- a start -------------------------------------------------------------------------------------

Result<MountpathTable> Mountpaths::find_table(const std::vector<std::string>& configured) const {
  MountpathTable newest;
  std::set<std::string> seen;
  std::vector<std::string> to_read = configured;
  while (!to_read.empty()) {
    const std::string path = std::move(to_read.back());
    to_read.pop_back();
    if (!seen.insert(path).second) continue;
    auto table = load_mountpath_table(deps_.options(path));
    if (!table && table.error() == Errc::unsupported) return std::move(table).error();
    if (!table || table->version <= newest.version) continue;
    newest = *std::move(table);
    for (const MountpathEntry& entry : newest.entries) to_read.push_back(entry.path);
  }
  return newest;
}

Status Mountpaths::open(const std::vector<std::string>& configured) {
  TRY(table_, find_table(configured));
  const bool first = table_.entries.empty();
  Status failed;
  for (MountpathEntry& entry : table_.entries) {
    const bool wanted = entry.is_known() && entry.state != State::kDisabled;
    if (!wanted) continue;
    if (Status opened = open_known(entry); !opened) failed = std::move(opened);
  }
  for (const std::string& path : configured) {
    const MountpathEntry* known = table_.find(path);
    if (known == nullptr) {
      CHECK_OK(open_new(path));
    } else if (!known->is_known()) {
      LOG_WARN("a mountpath of the configuration is not used", "path", path, "why",
               text_of(known->state));
    }
  }
  if (first) table_.settle();
  if (!table_.active().empty()) return {};
  return failed.ok() ? Error(Errc::invalid_argument, "no mountpath is active") : failed;
}

Status Mountpaths::open_known(MountpathEntry& entry) {
  MountpathOptions options = deps_.options(entry.path);
  options.uuid = entry.uuid;
  // One that was missing has not taken part in every start.
  options.stamped = entry.is_open() ? std::max(entry.stamped, options.stamped) : entry.stamped;
  options.doubted = entry.state == State::kFailed;
  auto opened = Mountpath::open(std::move(options));
  if (!opened) {
    if (entry.is_open()) lose_at_start(entry, State::kMissing, opened.error());
    LOG_ERROR("a mountpath is missing: what only it holds is answered not_ready", "path",
              entry.path, "why", opened.error().what());
    return std::move(opened).error();
  }
  if (!entry.is_open()) {
    if (entry.is_lacking()) deps_.returning(entry.replicated);
    table_.bring_back(entry);
  }
  entry.why.clear();  // of a last one that failed before
  open_[entry.path] = {*std::move(opened), nullptr};
  return {};
}

Status Mountpaths::open_new(const std::string& path) {
  TRY(std::shared_ptr<Mountpath> mountpath, Mountpath::open(deps_.options(path)));
  if (const auto* known = table_.find_uuid(mountpath->uuid());
      known != nullptr && known->is_known()) {
    return Error(Errc::invalid_argument,
                 "mountpath " + path + " is the disk of " + known->path + ": mount it there");
  }
  table_.entries.push_back({.path = path, .uuid = mountpath->uuid()});
  table_.settled = false;
  table_.place_anew();
  open_[path] = {std::move(mountpath), nullptr};
  return {};
}

std::vector<std::shared_ptr<Mountpath>> Mountpaths::opened() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Mountpath>> all;
  for (const auto& [path, open] : open_) all.push_back(open.mountpath);
  return all;
}

Status Mountpaths::drop(const Mountpath& mountpath, const Error& why) {
  MountpathEntry& entry = *table_.find(mountpath.path());
  const PlacedOn active = table_.active();
  if (active.empty() || active == PlacedOn{entry.path}) return why;
  LOG_ERROR("a mountpath cannot be recovered", "path", entry.path, "why", why.what());
  lose_at_start(entry, State::kFailed, why);
  open_.erase(mountpath.path());
  return {};
}

void Mountpaths::lose_at_start(MountpathEntry& entry, State state, const Error& why) {
  table_.lose(entry, state, why.what(), deps_.leaving());
  lost_at_start_.push_back(entry.path);
}

void Mountpaths::start(bool in_order) {
  {
    const std::lock_guard lock(mutex_);
    if (!in_order && table_.active().size() > 1) {
      table_.settled = false;
      table_.stale = true;
    }
    // Power loss may have brought back what was forgotten before one went.
    for (const std::string& path : lost_at_start_) {
      if (in_order) continue;
      table_.find(path)->newer_until = deps_.leaving().last;
      // What is there may not even know that the others had gone before.
      table_.find(path)->copied.clear();
    }
    ++table_.version;
    for (auto& [path, open] : open_) open.health = watch(open.mountpath);
    publish();
  }
  if (Status saved = save();
      !saved) {  // the keeper tries again; a full disk is no reason not to start
    LOG_WARN("the table of mountpaths cannot be written", "why", saved.error().what());
  }
  keeper_ = std::thread([this] { keep(); });
}

std::unique_ptr<DiskHealth> Mountpaths::watch(const std::shared_ptr<Mountpath>& mountpath) {
  Mountpath* const watched = mountpath.get();  // outlives its health
  return std::make_unique<DiskHealth>(
      DiskHealth::Options{.root = watched->root(),
                          .path = watched->path(),
                          .uuid = watched->uuid(),
                          .on_failed = [this, watched](const Error& why) { fail(*watched, why); }});
}

// --- then ----------------------------------------------------------------------------------------

MountpathTable Mountpaths::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

/// Of the table and what is open. Under the lock.
void Mountpaths::publish() {
  auto set = std::make_unique<MountpathSet>();
  set->settled = table_.settled;
  set->copies = table_.copies;
  for (const MountpathEntry& entry : table_.entries) {
    if (entry.is_lacking()) set->lacks.push_back(lack_of(entry));
    if (entry.state != State::kActive) continue;
    set->placing.push_back(open_.at(entry.path).mountpath.get());
    set->digests.push_back(placement::digest(entry.path));
  }
  if (!sets_.empty()) {
    const MountpathSet& before = *sets_.back();
    set->turn = before.turn + 1;
    set->losses = before.losses + (set->lacks.size() > before.lacks.size() ? 1 : 0);
  }
  set->readable = set->placing;
  for (const MountpathEntry& entry : table_.entries) {
    if (entry.is_emptied()) set->readable.push_back(open_.at(entry.path).mountpath.get());
  }
  now_.store(set.get(), std::memory_order_release);
  sets_.push_back(std::move(set));
}

std::shared_ptr<Mountpath> Mountpaths::hold(const Mountpath& mountpath) const {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(mountpath.path());
  return it != open_.end() && it->second.mountpath.get() == &mountpath ? it->second.mountpath
                                                                       : nullptr;
}

Status Mountpaths::stamp(std::uint32_t incarnation) {
  for (const auto& mountpath : opened()) {
    if (Status done = mountpath->stamp(incarnation); !done) {
      return std::move(done).error().context("mountpath " + mountpath->path());
    }
  }
  return change([incarnation](MountpathTable& table) -> Status {
    for (MountpathEntry& entry : table.entries) {
      if (entry.is_open()) entry.stamped = incarnation;
    }
    return {};
  });
}

Status Mountpaths::change(const Edit& edit) { return add(nullptr, edit); }

Status Mountpaths::add(std::shared_ptr<Mountpath> mountpath, const Edit& edit) {
  {
    const std::lock_guard lock(mutex_);
    MountpathTable table = table_;
    CHECK_OK(edit(table));
    ++table.version;
    tell_of_returns(table);
    table_ = std::move(table);
    if (mountpath) open_[mountpath->path()] = {mountpath, watch(mountpath)};
    publish();
    retire_unused();
  }
  return save();
}

/// Under the lock, before the set is made.
void Mountpaths::tell_of_returns(const MountpathTable& next) const {
  for (const MountpathEntry& before : table_.entries) {
    const MountpathEntry* entry = before.is_lacking() ? next.find(before.path) : nullptr;
    if (entry != nullptr && entry->is_open()) deps_.returning(before.replicated);
  }
}

/// Under the lock: the set has been made.
void Mountpaths::retire_unused() {
  const std::uint64_t turn = deps_.gate.begin_turn();
  for (auto it = open_.begin(); it != open_.end();) {
    const auto open = it++;
    const MountpathEntry* entry = table_.find(open->first);
    if (entry != nullptr && entry->is_open()) continue;
    Retired retired;
    retired.open = std::move(open->second);
    retired.turn = turn;
    retired.cleanly = entry != nullptr && entry->held.empty();
    retired_.push_back(std::move(retired));
    open_.erase(open);
  }
  wake_.notify_all();
}

void Mountpaths::fail(const Mountpath& mountpath, const Error& why) {
  std::shared_ptr<Mountpath> failed;
  {
    const std::lock_guard lock(mutex_);
    const auto it = open_.find(mountpath.path());
    if (it == open_.end() || it->second.mountpath.get() != &mountpath) return;
    MountpathEntry& entry = *table_.find(mountpath.path());
    if (table_.active() == PlacedOn{entry.path}) {
      if (std::exchange(entry.why, why.what()).empty()) {
        LOG_ERROR("the last mountpath fails", "path", entry.path, "why", why.what(), "remedy",
                  "mend its disk and start the node again");
      }
      // A disk that is only slow may be as good as before in a moment.
      if (why != Errc::timed_out) last_fails_ = true;
      return;
    }
    LOG_ERROR(
        "a mountpath has failed and is used no more; what only it holds is answered not_ready",
        "path", entry.path, "why", why.what(), "remedy",
        "mount it again and enable it, or give it up");
    table_.lose(entry, State::kFailed, why.what(), deps_.leaving());
    last_fails_ = false;  // now that there is another one
    entry.buckets = mountpath.bucket_ids_now();
    ++table_.version;
    failed = it->second.mountpath;
    publish();
    retire_unused();
  }
  failed->committer().mark_suspect(why);
}

void Mountpaths::suspect(const Mountpath& mountpath) {
  const std::lock_guard lock(mutex_);
  const auto it = open_.find(mountpath.path());
  if (it != open_.end() && it->second.health) it->second.health->suspect();
}

bool Mountpaths::is_closing(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(retired_.begin(), retired_.end(), [&](const Retired& retired) {
    return retired.open.mountpath->path() == path && !*retired.closed;
  });
}

Status Mountpaths::on_all(std::function<Status(Mountpath&)> work) {
  const auto counted = std::make_shared<Counted>();
  const auto all = opened();
  counted->left = all.size();
  for (const auto& mountpath : all) {
    mountpath->pool().post(
        [mountpath, counted, work] { counted->add(mountpath->noted(work(*mountpath))); });
  }
  std::unique_lock lock(counted->mutex);
  counted->done.wait_for(lock, kAllMax, [&] { return counted->left == 0; });
  if (counted->succeeded > 0) return {};
  return counted->failed.ok() ? Error(Errc::timed_out, "no mountpath answers") : counted->failed;
}

/// Brings the table to the disks. What a disk that fails now has not got, it misses when it is
/// back: the others know more.
Status Mountpaths::save() {
  const std::lock_guard saving(saving_);
  MountpathTable table;
  {
    const std::lock_guard lock(mutex_);
    table = table_;
  }
  CHECK_OK(on_all([table](Mountpath& mountpath) { return mountpath.save_table(table); }));
  const std::lock_guard lock(mutex_);
  saved_ = std::max(saved_, table.version);
  return {};
}

// --- the keeper's thread -------------------------------------------------------------------------

void Mountpaths::keep() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, kLookEvery, [this] { return stop_ || saved_ < table_.version; });
    if (stop_) return;
    const bool unsaved = saved_ < table_.version;
    lock.unlock();
    if (unsaved) {
      if (Status saved = save(); !saved) {
        LOG_ERROR("the table of mountpaths cannot be written", "why", saved.error().what());
      }
    }
    fail_stuck();
    close_retired();
    lock.lock();
  }
}

void Mountpaths::fail_stuck() {
  std::vector<std::pair<std::shared_ptr<Mountpath>, Error>> failed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, open] : open_) {
      if (open.health && open.health->is_stuck()) {
        failed.emplace_back(open.mountpath, Error(Errc::timed_out, "it takes 10 s for one block"));
      } else if (const Status index = open.mountpath->index().health();
                 !index && is_disk_error(index.error())) {
        failed.emplace_back(open.mountpath, index.error());
      } else if (const Status log = open.mountpath->log().health(); !log) {
        failed.emplace_back(open.mountpath, log.error());  // no name on it can change any more
      }
    }
  }
  for (const auto& [mountpath, why] : failed) fail(*mountpath, why);
}

void Mountpaths::close_retired() {
  const std::lock_guard lock(mutex_);
  for (Retired& retired : retired_) {
    if (retired.closing.joinable() || *retired.closed) continue;
    deps_.files.drop(*retired.open.mountpath);
    if (deps_.gate.has_older(retired.turn) || retired.open.mountpath.use_count() > 1) continue;
    // What a dying disk keeps waiting is this thread alone.
    retired.closing = std::thread([mountpath = retired.open.mountpath.get(),
                                   health = retired.open.health.release(),
                                   cleanly = retired.cleanly, closed = retired.closed] {
      delete health;
      mountpath->shut(cleanly);
      *closed = true;
      LOG_INFO("mountpath closed", "path", mountpath->path());
    });
  }
}

void Mountpaths::close(bool cleanly) {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  for (Retired& retired : retired_) {
    if (retired.closing.joinable()) retired.closing.join();
  }
  std::vector<std::unique_ptr<DiskHealth>> healths;  // ended without the lock, which they may want
  {
    const std::lock_guard lock(mutex_);
    for (auto& [path, open] : open_) healths.push_back(std::move(open.health));
  }
  healths.clear();
  // What is still posted there holds its mountpath.
  for (auto& [path, open] : open_) open.mountpath->pool().join();
  for (auto& [path, open] : open_) {
    if (!cleanly) continue;
    if (Status st = open.mountpath->close_clean(); !st) {
      LOG_WARN("no clean close: the next start recovers", "mountpath", path, "why",
               st.error().what());
    }
  }
  open_.clear();
  retired_.clear();
}

}  // namespace aisfs::store
