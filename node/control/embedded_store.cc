// SPDX-License-Identifier: MIT
#include "node/control/embedded_store.h"

#include <bit>

#include "common/async/offload.h"
#include "common/obs/log.h"
#include "common/wire/envelope.h"

namespace aisfs::control {
namespace {

using meta::Event;
using meta::KeyValue;
using meta::LeaseId;
using meta::Revision;

enum Table : std::size_t { kKv, kHistory, kLeases, kMeta };
constexpr std::string_view kRevisionKey = "revision";
constexpr std::string_view kCompactedKey = "compacted";
constexpr std::string_view kLeaseKey = "lease";
constexpr Revision kFirstRevision = 1;
constexpr std::size_t kEventsAReplyMax = 1000;

/// Sorts as the number does.
std::string big_endian(std::uint64_t n) {
  std::string out(8, '\0');
  for (std::size_t i = 8; i-- > 0; n >>= 8) out[i] = static_cast<char>(n & 0xff);
  return out;
}
std::int64_t from_big_endian(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes.substr(0, 8)) n = n << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(n);
}

std::string history_key(Revision revision, std::uint64_t index = 0) {
  return big_endian(static_cast<std::uint64_t>(revision)) + big_endian(index).substr(4);
}

Result<std::int64_t> read_number(LmdbTxn& txn, MDB_dbi table, std::string_view key,
                                 std::int64_t missing) {
  TRY(const auto bytes, txn.get(table, key));
  return bytes ? from_big_endian(*bytes) : missing;
}

bool compares(std::int64_t a, meta::Compare::Is is, std::int64_t b) {
  switch (is) {
    case meta::Compare::Is::kEqual: return a == b;
    case meta::Compare::Is::kNotEqual: return a != b;
    case meta::Compare::Is::kLess: return a < b;
    case meta::Compare::Is::kGreater: return a > b;
  }
  return false;
}

bool holds(const meta::Compare& c, const std::optional<KeyValue>& kv) {
  using What = meta::Compare::What;
  const KeyValue found = kv.value_or(KeyValue{});
  switch (c.what) {
    case What::kVersion: return compares(found.version, c.is, c.number);
    case What::kCreateRevision: return compares(found.create_revision, c.is, c.number);
    case What::kModRevision: return compares(found.mod_revision, c.is, c.number);
    case What::kValue:
      return kv ? compares(found.value.compare(c.value), c.is, 0)
                : c.is == meta::Compare::Is::kNotEqual;
  }
  return false;
}

Error compacted_error(Revision asked, Revision compacted) {
  return Error(Errc::out_of_range, "revision " + std::to_string(asked) +
                                       " is compacted; list again (oldest known: " +
                                       std::to_string(compacted + 1) + ")");
}

Status check_step(const meta::Step& step, std::set<std::string>& put) {
  if (step.range.begin.empty()) return Error(Errc::invalid_argument, "meta store: empty key");
  if (step.range.begin.size() > kMetaKeyBytesMax) {
    return Error(Errc::name_too_long, "meta store: key over 480 bytes");
  }
  if (step.value.size() > kMetaValueBytesMax) {
    return Error(Errc::too_large, "meta store: value of " + step.range.begin + " over 1 MiB");
  }
  if (step.kind == meta::Step::Kind::kPut && !put.insert(step.range.begin).second) {
    return Error(Errc::invalid_argument, "meta store: puts " + step.range.begin + " twice");
  }
  return {};
}

}  // namespace

/// Collects the changes of one revision inside one LMDB transaction.
class EmbeddedStore::Change {
 public:
  static Result<Change> begin(LmdbEnv& env) {
    TRY(auto txn, env.write());
    TRY(const auto revision, read_number(txn, env.table(kMeta), kRevisionKey, kFirstRevision));
    return Change(env, std::move(txn), revision);
  }

  Result<std::optional<KeyValue>> find(const std::string& key) {
    TRY(const auto bytes, txn_.get(env_.table(kKv), key));
    if (!bytes) return std::optional<KeyValue>();
    TRY(auto kv, wire::decode<KeyValue>(*bytes));
    return std::optional<KeyValue>(std::move(kv));
  }

  Result<std::vector<KeyValue>> list(const meta::Range& range) {
    std::vector<KeyValue> kvs;
    const std::string end = range.end.empty() ? range.begin + '\0' : range.end;
    Status bad;
    CHECK_OK(txn_.scan(env_.table(kKv), range.begin, end, [&](auto, std::string_view bytes) {
      auto kv = wire::decode<KeyValue>(bytes);
      if (kv) {
        kvs.push_back(*std::move(kv));
      } else {
        bad = std::move(kv).error();
      }
      return bad.ok();
    }));
    CHECK_OK(std::move(bad));
    return kvs;
  }

  Status put(const std::string& key, const std::string& value, LeaseId lease) {
    TRY(auto previous, find(key));
    KeyValue kv{key, value, revision_ + 1, revision_ + 1, 1, lease};
    if (previous) {
      kv.create_revision = previous->create_revision;
      kv.version = previous->version + 1;
    }
    CHECK_OK(txn_.put(env_.table(kKv), key, wire::encode(kv)));
    return record(Event{false, std::move(kv), std::move(previous)});
  }

  Result<std::int64_t> remove(const meta::Range& range) {
    TRY(auto kvs, list(range));
    const auto count = static_cast<std::int64_t>(kvs.size());
    for (auto& kv : kvs) {
      CHECK_OK(txn_.remove(env_.table(kKv), kv.key));
      KeyValue gone{.key = kv.key, .mod_revision = revision_ + 1};
      CHECK_OK(record(Event{true, std::move(gone), std::move(kv)}));
    }
    return count;
  }

  Status set_number(Table table, std::string_view key, std::int64_t value) {
    return txn_.put(env_.table(table), key, big_endian(static_cast<std::uint64_t>(value)));
  }
  Status drop_lease(LeaseId lease) {
    return txn_.remove(env_.table(kLeases), big_endian(static_cast<std::uint64_t>(lease)));
  }
  LmdbTxn& txn() { return txn_; }

  /// Syncs, and returns the revision that the store is now at.
  Result<Revision> commit(std::int64_t history_max) {
    if (events_ != 0) {
      ++revision_;
      CHECK_OK(set_number(kMeta, kRevisionKey, revision_));
      CHECK_OK(forget_before(revision_ - history_max));
    }
    CHECK_OK(txn_.commit());
    return revision_;
  }

 private:
  Change(LmdbEnv& env, LmdbTxn txn, Revision revision)
      : env_(env), txn_(std::move(txn)), revision_(revision) {}

  Status record(const Event& event) {
    return txn_.put(env_.table(kHistory), history_key(revision_ + 1, events_++),
                    wire::encode(event));
  }

  Status forget_before(Revision oldest) {
    if (oldest <= kFirstRevision) return {};
    std::vector<std::string> old;
    CHECK_OK(txn_.scan(env_.table(kHistory), {}, history_key(oldest), [&](auto key, auto) {
      old.emplace_back(key);
      return true;
    }));
    for (const auto& key : old) CHECK_OK(txn_.remove(env_.table(kHistory), key));
    return set_number(kMeta, kCompactedKey, oldest - 1);
  }

  LmdbEnv& env_;
  LmdbTxn txn_;
  Revision revision_;
  std::uint64_t events_ = 0;
};

EmbeddedStore::EmbeddedStore(const Clock& clock, EmbeddedStoreOptions options, LmdbEnv env)
    : clock_(clock), options_(std::move(options)), env_(std::move(env)) {}

EmbeddedStore::~EmbeddedStore() { writer_.join(); }

void EmbeddedStore::close() {
  closed_ = true;
  changed_.notify();
}

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(const Clock& clock,
                                                           EmbeddedStoreOptions options) {
  TRY(auto env, LmdbEnv::open(options.dir, {"kv", "history", "leases", "meta"}, options.map_bytes));
  std::unique_ptr<EmbeddedStore> store(
      new EmbeddedStore(clock, std::move(options), std::move(env)));
  CHECK_OK(store->load());
  return store;
}

Status EmbeddedStore::load() {
  TRY(auto txn, env_.read());
  const TimePoint now = clock_.now();
  return txn.scan(env_.table(kLeases), {}, {}, [&](auto key, auto value) {
    const Duration ttl(from_big_endian(value));
    leases_[from_big_endian(key)] = Lease{ttl, now + ttl};
    return true;
  });
}

Result<meta::TxnReply> EmbeddedStore::apply(const meta::TxnRequest& request) {
  TRY(auto change, Change::begin(env_));
  meta::TxnReply reply{.succeeded = true};
  for (const auto& compare : request.compares) {
    TRY(const auto kv, change.find(compare.key));
    reply.succeeded = reply.succeeded && holds(compare, kv);
  }
  std::set<std::string> put;
  for (const auto& step : reply.succeeded ? request.then : request.otherwise) {
    CHECK_OK(check_step(step, put));
    meta::StepReply done;
    if (step.kind == meta::Step::Kind::kPut) {
      if (step.lease != 0 && !has_lease(step.lease)) {
        return Error(Errc::not_found, "meta store: the lease has ended");
      }
      CHECK_OK(change.put(step.range.begin, step.value, step.lease));
    } else if (step.kind == meta::Step::Kind::kRemove) {
      TRY(done.removed, change.remove(step.range));
    } else {
      TRY(done.kvs, change.list(step.range));
    }
    reply.steps.push_back(std::move(done));
  }
  TRY(reply.revision, change.commit(options_.history_max));
  changed_.notify();
  return reply;
}

Result<LeaseId> EmbeddedStore::add_lease(Duration ttl) {
  TRY(auto change, Change::begin(env_));
  TRY(const auto last, read_number(change.txn(), env_.table(kMeta), kLeaseKey, 0));
  const LeaseId id = last + 1;
  CHECK_OK(change.set_number(kMeta, kLeaseKey, id));
  CHECK_OK(change.set_number(kLeases, big_endian(static_cast<std::uint64_t>(id)), ttl.count()));
  TRY(const auto revision, change.commit(options_.history_max));
  static_cast<void>(revision);
  std::lock_guard lock(mutex_);
  leases_[id] = Lease{ttl, clock_.now() + ttl};
  return id;
}

Status EmbeddedStore::end_lease(LeaseId lease) {
  {
    std::lock_guard lock(mutex_);  // from here on no renewal and no put may count on it
    if (leases_.erase(lease) == 0) return Error(Errc::not_found, "meta store: the lease has ended");
  }
  TRY(auto change, Change::begin(env_));
  std::vector<std::string> keys;
  CHECK_OK(change.txn().scan(env_.table(kKv), {}, {}, [&](auto key, auto bytes) {
    const auto kv = wire::decode<KeyValue>(bytes);
    if (kv && kv->lease == lease) keys.emplace_back(key);
    return true;
  }));
  for (const auto& key : keys) {
    TRY(const auto removed, change.remove({key, {}}));
    static_cast<void>(removed);
  }
  CHECK_OK(change.drop_lease(lease));
  TRY(const auto revision, change.commit(options_.history_max));
  static_cast<void>(revision);
  changed_.notify();
  return {};
}

bool EmbeddedStore::has_lease(LeaseId lease) {
  std::lock_guard lock(mutex_);
  return leases_.contains(lease);
}

std::vector<LeaseId> EmbeddedStore::due_leases(TimePoint now) {
  std::lock_guard lock(mutex_);
  std::vector<LeaseId> due;
  for (const auto& [id, lease] : leases_) {
    if (lease.ends <= now) due.push_back(id);
  }
  return due;
}

Task<void> EmbeddedStore::run(Clock& clock) {
  constexpr Duration kTick = std::chrono::milliseconds(100);  // a lease ends at most this late
  while (true) {
    for (const LeaseId id : due_leases(clock.now())) {
      auto end = [this, id] { return end_lease(id); };
      const auto ended = co_await offload(writer_, end);
      if (!ended && ended.error().code() != Errc::not_found) {
        LOG_ERROR("lease not ended", "lease", id, "why", ended.error().what());
      }
    }
    if (!co_await clock.sleep(kTick)) co_return;
  }
}

Result<meta::GetReply> EmbeddedStore::read(const meta::GetRequest& request) {
  TRY(auto txn, env_.read());
  meta::GetReply reply;
  TRY(reply.revision, read_number(txn, env_.table(kMeta), kRevisionKey, kFirstRevision));
  TRY(const auto compacted, read_number(txn, env_.table(kMeta), kCompactedKey, 0));
  const Revision at = request.revision == 0 ? reply.revision : request.revision;
  if (at > reply.revision) return Error(Errc::out_of_range, "revision is in the future");
  if (at < compacted) return compacted_error(at, compacted);

  std::map<std::string, KeyValue> found;
  Status bad;
  const meta::Range& range = request.range;
  const std::string end = range.end.empty() ? range.begin + '\0' : range.end;
  CHECK_OK(txn.scan(env_.table(kKv), range.begin, end, [&](auto key, auto bytes) {
    auto kv = wire::decode<KeyValue>(bytes);
    if (!kv) {
      bad = std::move(kv).error();
      return false;
    }
    found[std::string(key)] = *std::move(kv);
    return true;
  }));
  CHECK_OK(std::move(bad));
  // Older than now: undo what happened since, newest first.
  const std::string oldest = history_key(at + 1);
  CHECK_OK(txn.scan_back(env_.table(kHistory), [&](auto key, auto bytes) {
    if (key < oldest) return false;
    auto event = wire::decode<Event>(bytes);
    if (!event) {
      bad = std::move(event).error();
      return false;
    }
    if (!range.has(event->kv.key)) return true;
    found.erase(event->kv.key);
    if (event->previous) found[event->kv.key] = *event->previous;
    return true;
  }));
  CHECK_OK(std::move(bad));
  for (auto& [_, kv] : found) {
    reply.more = request.limit != 0 && reply.kvs.size() == request.limit;
    if (reply.more) break;
    reply.kvs.push_back(std::move(kv));
  }
  return reply;
}

Result<meta::WatchReply> EmbeddedStore::read_events(const meta::WatchRequest& request) {
  TRY(auto txn, env_.read());
  TRY(const auto revision, read_number(txn, env_.table(kMeta), kRevisionKey, kFirstRevision));
  TRY(const auto compacted, read_number(txn, env_.table(kMeta), kCompactedKey, 0));
  if (request.from <= compacted) return compacted_error(request.from, compacted);
  meta::WatchReply reply{.next = std::max(revision + 1, request.from)};
  Status bad;
  CHECK_OK(txn.scan(env_.table(kHistory), history_key(request.from), {}, [&](auto key, auto bytes) {
    const Revision at = from_big_endian(key);
    if (reply.events.size() >= kEventsAReplyMax && at != reply.events.back().kv.mod_revision) {
      reply.next = at;  // whole revisions only
      return false;
    }
    auto event = wire::decode<Event>(bytes);
    if (!event) {
      bad = std::move(event).error();
      return false;
    }
    if (request.range.has(event->kv.key)) reply.events.push_back(*std::move(event));
    return true;
  }));
  CHECK_OK(std::move(bad));
  return reply;
}

Task<Result<meta::GetReply>> EmbeddedStore::get(meta::GetRequest request) {
  co_return read(request);
}

Task<Result<meta::TxnReply>> EmbeddedStore::txn(meta::TxnRequest request) {
  auto work = [this, request = std::move(request)] { return apply(request); };
  co_return co_await offload(writer_, std::move(work));
}

Task<Result<LeaseId>> EmbeddedStore::grant(Duration ttl) {
  if (ttl <= Duration::zero()) co_return Error(Errc::invalid_argument, "a lease needs a ttl");
  auto work = [this, ttl] { return add_lease(ttl); };
  co_return co_await offload(writer_, work);
}

Task<Result<Duration>> EmbeddedStore::keep_alive(LeaseId lease) {
  std::lock_guard lock(mutex_);
  const auto it = leases_.find(lease);
  const TimePoint now = clock_.now();
  if (it == leases_.end() || it->second.ends <= now) {
    co_return Error(Errc::not_found, "the lease has ended");
  }
  it->second.ends = now + it->second.ttl;
  co_return it->second.ttl;
}

Task<Status> EmbeddedStore::revoke(LeaseId lease) {
  auto work = [this, lease] { return end_lease(lease); };
  co_return co_await offload(writer_, work);
}

Task<Result<meta::WatchReply>> EmbeddedStore::watch(meta::WatchRequest request) {
  const Deadline deadline = Deadline::after(Duration(request.wait_ns));
  while (true) {
    const auto seen = changed_.count();
    auto reply = read_events(request);
    if (!reply || !reply->events.empty() || deadline.expired()) co_return reply;
    if (closed_) co_return Error(Errc::not_ready, "this gateway is stopping");
    co_await changed_.wait(seen, deadline);
  }
}

}  // namespace aisfs::control
