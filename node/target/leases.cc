// SPDX-License-Identifier: MIT
#include "node/target/leases.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"
#include "common/disk/atomic_file.h"
#include "common/obs/log.h"
#include "node/target/changes.h"

namespace aisfs::target {
namespace {

constexpr const char* kSessionsFile = "sessions";
constexpr std::size_t kChangesMax = 10'000;  // in one reply; more are said as "all"
// Waiting for mounts looks again at least so often: their ends are counted by another clock.
constexpr auto kLook = std::chrono::milliseconds(100);

std::uint64_t hash_of(BucketId bucket, std::string_view path) {
  return xxh64(as_bytes(path), bucket.value);
}

std::vector<std::uint64_t> read_sessions(const std::string& path) {
  std::vector<std::uint64_t> ids;
  std::ifstream file(path);
  for (std::uint64_t id = 0; file >> std::hex >> id;) ids.push_back(id);
  return ids;
}

Status write_sessions(const std::string& dir, const std::string& text) {
  const UniqueFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open " + dir);
  return disk::write_file_atomically(root.get(), kSessionsFile, text, 0600);
}

}  // namespace

Result<std::unique_ptr<Leases>> Leases::open(Options options, MapSource& maps, Clock& clock) {
  if (::mkdir(options.state_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("mkdir " + options.state_dir);
  }
  const auto old = read_sessions(options.state_dir + "/" + kSessionsFile);
  std::unique_ptr<Leases> leases(new Leases(std::move(options), maps, clock));
  leases->old_.insert(old.begin(), old.end());
  leases->any_ = !old.empty();
  return leases;
}

Leases::Leases(Options options, MapSource& maps, Clock& clock)
    : options_(std::move(options)),
      instance_(to_hex(as_bytes(random_bytes(8)))),
      maps_(maps),
      clock_(clock),
      old_until_(clock.now() + wire::kLeaseLength) {}

// --- the mounts' side --------------------------------------------------------------------------

Result<bool> Leases::enter(const std::string& user, const wire::LeasePollRequest& request) {
  const TimePoint now = clock_.now();
  sweep(now);
  auto it = sessions_.find(request.session);
  const bool known = it != sessions_.end();
  if (known && it->second.user != user) {
    return Error(Errc::permission_denied, "the session is another user's");
  }
  if (!known && sessions_.size() >= options_.sessions_max) {
    return Error(Errc::overloaded, "too many mounts have sessions");
  }
  const bool begins = !known || request.instance != instance_;
  if (begins) {
    if (known) drop_names(request.session);
    if (known) drop_delegations(request.session);
    Session fresh;
    fresh.user = user;
    it = sessions_.insert_or_assign(request.session, std::move(fresh)).first;
  }
  Session& session = it->second;
  session.confirmed = request.instance == instance_;
  if (session.confirmed) old_.erase(request.session);
  session.ends = now + wire::kLeaseLength;
  session.epoch = request.epoch;
  if (!begins) {
    session.heard = std::max(session.heard, std::min(request.heard, session.last));
    while (!session.events.empty() && session.events.front().number <= session.heard) {
      session.events.pop_front();
    }
  }
  any_ = true;
  return begins;
}

wire::LeasePollReply Leases::reply_of(Session& session, Epoch known) {
  wire::LeasePollReply reply{.instance = instance_,
                             .epoch = std::max(known, maps_.current()->epoch)};
  reply.last = session.last;
  reply.all = session.events.size() > kChangesMax;
  for (const Event& event : session.events) {
    reply.all = reply.all || event.kind == Event::Kind::kAll;
    if (event.kind == Event::Kind::kRecall) {
      reply.recalls.push_back({event.id, event.name.bucket, event.name.path});
    }
    if (event.kind == Event::Kind::kChange && !reply.all) reply.changes.push_back(event.name);
  }
  if (reply.all) reply.changes.clear();
  return reply;
}

Task<Result<wire::LeasePollReply>> Leases::poll(std::string user, wire::LeasePollRequest request) {
  if (request.session == 0) co_return Error(Errc::invalid_argument, "a session is not 0");
  const auto wait = std::chrono::milliseconds(std::min(request.wait_ms, wire::kLeasePollMsMax));
  const Deadline deadline = Deadline::after(wait);
  bool begins = false;
  {
    const std::lock_guard lock(mutex_);
    CO_TRY(begins, enter(user, request));
    if (request.ends) {
      drop_names(request.session);
      drop_delegations(request.session);
      sessions_.erase(request.session);
      sweep(clock_.now());
    }
  }
  polled_.notify();
  if (request.ends) {
    CO_CHECK_OK(co_await save_sessions());
    co_return wire::LeasePollReply{.instance = instance_};
  }
  if (begins) CO_CHECK_OK(co_await save_sessions());
  for (;;) {
    const auto seen = changed_.count();
    {
      const std::lock_guard lock(mutex_);
      const auto it = sessions_.find(request.session);
      if (closed_ || it == sessions_.end()) {
        co_return Error(Errc::not_ready, "the session has run out");
      }
      const bool news = begins || !it->second.events.empty() ||
                        maps_.current()->epoch > request.epoch || deadline.expired();
      if (news) {
        auto reply = reply_of(it->second, request.epoch);
        reply.all = reply.all || begins;
        co_return reply;
      }
    }
    co_await changed_.wait(seen, deadline.earlier(Deadline::after(kLook)));
  }
}

/// Null for whoever has no session, or does not know yet that it begins here.
Leases::Session* Leases::believer(const Context& context) {
  if (context.session == 0) return nullptr;
  const auto it = sessions_.find(context.session);
  if (it == sessions_.end() || it->second.user != context.who.user()) return nullptr;
  return it->second.confirmed && it->second.ends >= clock_.now() ? &it->second : nullptr;
}

void Leases::grant(const Context& context, BucketId bucket, std::string_view path) {
  if (context.session == 0) return;
  const std::lock_guard lock(mutex_);
  Session* const session = believer(context);
  if (session != nullptr) grant_one(context.session, *session, bucket, path);
}

bool Leases::grant(const Context& context,
                   BucketId bucket,
                   const std::vector<ListEntry>& entries,
                   std::uint64_t changes) {
  const std::lock_guard lock(mutex_);
  Session* const session = believer(context);
  if (session == nullptr) return false;
  for (const ListEntry& entry : entries) {
    if (!entry.is_prefix) grant_one(context.session, *session, bucket, path_of(entry.key));
  }
  return changes_ == changes;
}

void Leases::grant_one(std::uint64_t id, Session& session, BucketId bucket, std::string_view path) {
  const std::uint64_t name = hash_of(bucket, path);
  const auto [from, to] = holders_.equal_range(name);
  for (auto holder = from; holder != to; ++holder) {
    if (holder->second == id) return;
  }
  if (holders_.size() >= options_.names_max) make_room();
  holders_.emplace(name, id);
  ++session.names;
}

/// The mount with the most names asks anew.
void Leases::make_room() {
  const auto most = std::max_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.second.names < b.second.names; });
  drop_names(most->first);
  Event all{.kind = Event::Kind::kAll};
  add_event(most->second, std::move(all));
  most->second.all_at = most->second.last;
}

// --- the changes' side -------------------------------------------------------------------------

Leases::Change::Change(Leases& leases,
                       const Context& context,
                       BucketId bucket,
                       std::string_view path)
    : leases_(leases),
      session_(context.session),
      user_(context.who.user()),
      of_node_(context.who.kind() == auth::Identity::Kind::kNode),
      deadline_(context.deadline),
      name_{bucket, std::string(path)} {
  const std::lock_guard lock(leases_.mutex_);
  leases_.under_way_.insert(this);
}

Leases::Change::~Change() {
  const std::lock_guard lock(leases_.mutex_);
  leases_.under_way_.erase(this);
  if (!announced_ && leases_.any_) (void)leases_.announce(*this);
}

Task<Status> Leases::Change::alone() {
  if (leases_.delegated_ == 0 || of_node_) co_return Status{};
  Requester requester{session_, user_};
  auto same = change_of(name_.path);
  co_return co_await leases_.wait_alone(std::move(requester), name_.bucket, std::move(same),
                                        deadline_);
}

Task<Status> Leases::Change::told() {
  announced_ = true;
  if (!leases_.any_) co_return Status{};
  std::vector<Awaited> awaited;
  {
    const std::lock_guard lock(leases_.mutex_);
    awaited = leases_.announce(*this);
    TimePoint until;
    if (awaited.empty() && leases_.old_are_over(leases_.clock_.now(), until)) co_return Status{};
  }
  const auto over = [&](TimePoint now, TimePoint& until) {
    return leases_.has_heard(awaited, now, until) && leases_.old_are_over(now, until);
  };
  if (co_await leases_.wait(deadline_, over)) co_return Status{};
  co_return Error(Errc::timed_out,
                  "a mount that has looked \"" + name_.path + "\" up does not answer");
}

std::vector<Leases::Awaited> Leases::announce(const Change& change) {
  ++changes_;
  sweep(clock_.now());
  std::vector<Awaited> awaited;
  const auto [from, to] = holders_.equal_range(hash_of(change.name_.bucket, change.name_.path));
  for (auto holder = from; holder != to;) {
    const std::uint64_t id = holder->second;
    if (is_own(id, change.session_, change.user_)) {
      ++holder;
      continue;
    }
    Session& session = sessions_.at(id);
    Event event{.name = change.name_};
    add_event(session, std::move(event));
    awaited.push_back({id, session.last});
    --session.names;
    holder = holders_.erase(holder);
  }
  for (const auto& [id, session] : sessions_) {
    if (session.all_at <= session.heard || is_own(id, change.session_, change.user_)) continue;
    awaited.push_back({id, session.all_at});
  }
  return awaited;
}

bool Leases::is_own(std::uint64_t id, std::uint64_t session, const std::string& user) const {
  if (id != session) return false;
  const auto it = sessions_.find(id);
  return it != sessions_.end() && it->second.user == user;
}

void Leases::add_event(Session& session, Event event) {
  event.number = ++session.last;
  session.events.push_back(std::move(event));
  changed_.notify();
}

bool Leases::has_heard(std::vector<Awaited>& awaited, TimePoint now, TimePoint& until) {
  std::erase_if(awaited, [&](const Awaited& one) {
    const auto it = sessions_.find(one.session);
    if (it == sessions_.end() || it->second.ends < now || it->second.last < one.number) return true;
    if (it->second.heard >= one.number) return true;
    until = std::max(until, it->second.ends);
    return false;
  });
  return awaited.empty();
}

Task<bool> Leases::wait_for_epoch(Epoch epoch, Deadline deadline) {
  if (!any_) co_return true;
  changed_.notify();  // polls tell of the map
  const auto over = [this, epoch](TimePoint now, TimePoint& until) {
    return has_epoch(epoch, now, until) && old_are_over(now, until);
  };
  co_return co_await wait(deadline, over);
}

bool Leases::has_epoch(Epoch epoch, TimePoint now, TimePoint& until) {
  for (const auto& [id, session] : sessions_) {
    if (!session.confirmed || session.epoch >= epoch || session.ends < now) continue;
    until = session.ends;
    return false;
  }
  return true;
}

bool Leases::old_are_over(TimePoint now, TimePoint& until) {
  if (old_.empty()) return true;
  until = old_until_;
  if (now <= old_until_) return false;
  old_.clear();
  return true;
}

/// `over(now, until)` is asked with the lock.
template <class Over>
Task<bool> Leases::wait(Deadline deadline, Over over) {
  for (;;) {
    const auto seen = polled_.count();
    {
      const std::lock_guard lock(mutex_);
      TimePoint until;
      if (over(clock_.now(), until)) co_return true;
    }
    if (deadline.expired()) co_return false;
    co_await polled_.wait(seen, deadline.earlier(Deadline::after(kLook)));
  }
}

Task<Status> Leases::wait_alone(Requester own,
                                BucketId bucket,
                                Concerns concerns,
                                Deadline deadline) {
  const auto over = [&](TimePoint now, TimePoint&) { return is_alone(own, bucket, concerns, now); };
  if (co_await wait(deadline, over)) co_return Status{};
  co_return Error(Errc::timed_out, "a mount does not give back a directory that it has to itself");
}

// --- sessions ----------------------------------------------------------------------------------

void Leases::drop_names(std::uint64_t session) {
  std::erase_if(holders_, [&](const auto& holder) { return holder.second == session; });
  if (const auto it = sessions_.find(session); it != sessions_.end()) it->second.names = 0;
}

void Leases::sweep(TimePoint now) {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    if (it->second.ends >= now) {
      ++it;
      continue;
    }
    drop_names(it->first);
    drop_delegations(it->first);
    it = sessions_.erase(it);
  }
  TimePoint until;
  any_ = !sessions_.empty() || !old_are_over(now, until);
}

/// The list is made on the one thread that writes it: a later one has what an earlier one had.
Task<Status> Leases::save_sessions() {
  const auto write = [this] {
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [id, session] : sessions_) text += to_hex(id) + "\n";
      for (const std::uint64_t id : old_) text += to_hex(id) + "\n";
    }
    return write_sessions(options_.state_dir, text);
  };
  co_return co_await io_.run(write);
}

void Leases::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify();
}

}  // namespace aisfs::target
