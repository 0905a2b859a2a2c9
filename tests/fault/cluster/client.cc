// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/client.h"

#include <thread>

#include "common/base/text.h"
#include "common/client/retry.h"

namespace aisfs::tests::storm {
namespace {

using history::OpKind;
using history::Outcome;
using history::Reply;

constexpr auto kLook = std::chrono::milliseconds(2);
constexpr std::size_t kBodyMax = 2 << 20;
const std::string kValueField = "value";

/// Most are small; some go with a question first, or as a file, or to all holders as they arrive.
std::size_t body_size(history::ValueId value) {
  const std::uint64_t id = value.value;
  if (id % 61 == 0) return 1'300'000;
  if (id % 97 == 0) return 300'000;
  if (id % 31 == 0) return 70'000;
  return id * 131 % 5000;
}

/// Bytes that say which PUT they are of, all of them.
std::string body_of(const std::string& key, history::ValueId value) {
  std::string body = key + " " + std::to_string(value.value) + "\n";
  const std::size_t size = body.size() + body_size(value);
  for (std::size_t i = 0; body.size() < size; ++i) {
    body += static_cast<char>('a' + (i * 7 + value.value) % 26);
  }
  return body;
}

/// The PUT that the metadata are of; zero if they say none.
history::ValueId value_of(const ObjectInfo& info) {
  const auto field = info.user.find(kValueField);
  const auto id = field == info.user.end() ? std::nullopt : parse_u64(field->second);
  return history::ValueId{id.value_or(0)};
}

/// What a client may conclude from the end of a change. What is ambiguous is refused after the last
/// attempt, or its fate is unknown; what is sent again may have been done by any.
Outcome outcome_of(const Error& error, Replay replay) {
  switch (error.code()) {
    case Errc::precondition_failed:
    case Errc::already_exists:
      return replay != Replay::kAmbiguous ? Outcome::kUnknown : Outcome::kConflict;
    case Errc::not_found:
      return replay != Replay::kAmbiguous ? Outcome::kUnknown : Outcome::kAbsent;
    case Errc::stale_map:
    case Errc::not_ready:
    case Errc::overloaded:
      return replay != Replay::kAmbiguous ? Outcome::kUnknown : Outcome::kFailed;
    default:
      return error.never_sent() && replay == Replay::kAmbiguous ? Outcome::kFailed
                                                                : Outcome::kUnknown;
  }
}

/// Errors that only a wrong request or a broken node explains.
bool is_surprising(const Ledger& ledger, const Error& error) {
  if (ledger.forgives(error.code())) return false;
  switch (error.code()) {
    case Errc::corrupt:
    case Errc::io:
    case Errc::internal:
    case Errc::invalid_argument:
    case Errc::permission_denied:
    case Errc::unauthenticated:
    case Errc::unsupported:
    case Errc::no_space:
      return true;
    default:
      return false;
  }
}

Task<Result<ObjectInfo>> put_once(
    ObjectApi& api, Context context, ObjectName name, PutOptions options, std::string body) {
  StringSource source(std::move(body));
  ExpectedChecksums expected;
  co_return co_await api.put(std::move(context), std::move(name), std::move(options),
                             std::move(expected), source);
}

/// Two parts, the second of them twice; put together twice.
Task<Result<ObjectInfo>> put_in_parts(
    ObjectApi& api, Context context, ObjectName name, PutOptions options, std::string body) {
  const std::size_t half = body.size() / 2;
  CO_TRY(const auto id, co_await api.create_upload(context, name, std::move(options)));
  const std::pair<std::uint32_t, std::string> pieces[] = {
      {1, body.substr(0, half)}, {2, "not this"}, {2, body.substr(half)}};
  std::vector<CompletedPart> parts;
  for (const auto& [number, bytes] : pieces) {
    StringSource source(bytes);
    ExpectedChecksums expected;
    CO_TRY(auto part,
           co_await api.put_part(context, name, id, number, std::move(expected), source));
    if (!parts.empty() && parts.back().number == number) parts.pop_back();
    parts.push_back({number, std::move(part.etag)});
  }
  Conditions none;
  CO_TRY(const auto info, co_await api.complete_upload(context, name, id, parts, none));
  const auto again = co_await api.complete_upload(context, name, id, parts, none);
  const bool same = !again || again->content_version == info.content_version;
  if (!same) co_return Error(Errc::internal, "completed twice, it is another version");
  co_return info;
}

struct Whole {
  ObjectInfo info;
  std::string body;
};

Task<Result<Whole>> get_whole(ObjectApi& api, Context context, ObjectName name) {
  GetOptions options;
  CO_TRY(auto stream, co_await api.get(std::move(context), std::move(name), std::move(options)));
  CO_TRY(auto body, co_await read_all(*stream.body, kBodyMax));
  co_return Whole{std::move(stream.info), std::move(body)};
}

}  // namespace

std::string key_name(std::size_t index) {
  return (index % 2 == 0 ? "k" : "dir/k") + std::to_string(100 + index);
}

bool Ledger::wait_turn() {
  const double turn = static_cast<double>(turns_++);
  const auto at =
      began_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(turn / rate_));
  while (!ending_ && std::chrono::steady_clock::now() < at) std::this_thread::sleep_for(kLook);
  return !ending_;
}

void Ledger::wrong(std::string what) {
  const std::lock_guard lock(mutex_);
  wrongs_.push_back(std::move(what));
}

std::vector<std::string> Ledger::wrongs() const {
  const std::lock_guard lock(mutex_);
  return wrongs_;
}

void Ledger::took(Duration time, bool answered) {
  const std::lock_guard lock(mutex_);
  ++totals_.operations;
  totals_.answered += answered ? 1 : 0;
  totals_.longest = std::max(totals_.longest, time);
  recent_longest_ = std::max(recent_longest_, time);
}

Duration Ledger::take_longest() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recent_longest_, Duration{});
}

void Ledger::may_repeat(std::size_t id) {
  const std::lock_guard lock(mutex_);
  repeatable_.insert(id);
}

std::set<std::size_t> Ledger::repeatable() const {
  const std::lock_guard lock(mutex_);
  return repeatable_;
}

Ledger::Totals Ledger::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

Client::Client(Ledger& ledger, Doors& doors, std::uint32_t number, std::uint64_t seed)
    : ledger_(ledger), doors_(doors), number_(number), random_(seed) {}

void Client::run() {
  // Few wait for long: whoever waits for a name that is away asks for no other.
  constexpr Duration kTimes[] = {std::chrono::milliseconds(300), std::chrono::seconds(1),
                                 std::chrono::seconds(1), std::chrono::seconds(3),
                                 std::chrono::seconds(10)};
  while (ledger_.wait_turn()) {
    const std::size_t key = random_() % ledger_.keys();
    const Duration time = kTimes[random_() % std::size(kTimes)];
    const auto nodes = doors_.nodes();
    if (nodes.empty() || random_() % 2 == 0) {
      step(doors_.straight(), key, time);
    } else {
      RemoteNode node = doors_.through(nodes[random_() % nodes.size()]);
      step(node, key, time);
    }
  }
}

void Client::step(ObjectApi& api, std::size_t key_index, Duration time) {
  const std::string key = key_name(key_index);
  if (random_() % 100 < ledger_.listings()) {
    list(api, random_() % 4 == 0 ? "dir/" : "", static_cast<std::uint32_t>(draw(random_, 1, 80)),
         time);
    return;
  }
  if (!ledger_.take(key_index)) return;
  const std::size_t what = draw(random_, 3, 99);
  if (what < 30) return put(api, key, OpKind::kPut, time);
  if (what < 42) return put(api, key, OpKind::kPutIfMatch, time);
  if (what < 50) return put(api, key, OpKind::kPutIfAbsent, time);
  if (what < 66) return remove(api, key, time);
  if (what < 74) return void(head(api, key, time));
  static_cast<void>(get(api, key, time));
}

std::size_t Client::begin(history::Operation operation) {
  operation.client = number_;
  began_ = std::chrono::steady_clock::now();
  return ledger_.history().begin(std::move(operation));
}

Reply Client::end(std::size_t id, Reply reply) {
  const bool answered = reply.outcome == Outcome::kOk || reply.outcome == Outcome::kAbsent ||
                        reply.outcome == Outcome::kConflict;
  ledger_.took(std::chrono::steady_clock::now() - began_, answered);
  ledger_.history().end(id, reply);
  return reply;
}

void Client::end_change(std::size_t id, Replay replay, Reply reply) {
  // Nobody tries again sooner.
  const Duration once = Backoff::kFirst / 4;
  const bool waited = std::chrono::steady_clock::now() - began_ >= once;
  if (replay != Replay::kAmbiguous && waited) ledger_.may_repeat(id);
  static_cast<void>(end(id, std::move(reply)));
}

void Client::note(const std::string& key, const Reply& reply) {
  if (reply.outcome == Outcome::kOk && reply.version) seen_[key] = {reply.value, reply.version};
}

Reply Client::get(ObjectApi& api, const std::string& key, Duration time) {
  const auto id = begin({.kind = OpKind::kGet, .key = key});
  const auto got = doors_.run(get_whole(api, User::within(time), {ledger_.bucket(), key}));
  Reply reply{.outcome = Outcome::kFailed};
  if (got) {
    reply = {.outcome = Outcome::kOk,
             .value = value_of(got->info),
             .version = got->info.content_version};
    if (got->body != body_of(key, reply.value)) {
      ledger_.wrong("get " + key + ": metadata of value " + std::to_string(reply.value.value) +
                    " with " + std::to_string(got->body.size()) + " bytes of \"" +
                    got->body.substr(0, 40) + "\"");
    }
  } else if (got.error() == Errc::not_found) {
    reply.outcome = Outcome::kAbsent;
  } else if (is_surprising(ledger_, got.error())) {
    ledger_.wrong("get " + key + ": " + got.error().what());
  }
  note(key, reply);
  return end(id, std::move(reply));
}

Reply Client::head(ObjectApi& api, const std::string& key, Duration time) {
  const auto id = begin({.kind = OpKind::kHead, .key = key});
  const auto info = doors_.run(api.head(User::within(time), {ledger_.bucket(), key}, {}));
  Reply reply{.outcome = Outcome::kFailed};
  if (info) {
    reply = {.outcome = Outcome::kOk, .value = value_of(*info), .version = info->content_version};
  } else if (info.error() == Errc::not_found) {
    reply.outcome = Outcome::kAbsent;
  } else if (is_surprising(ledger_, info.error())) {
    ledger_.wrong("head " + key + ": " + info.error().what());
  }
  note(key, reply);
  return end(id, std::move(reply));
}

void Client::put(ObjectApi& api, const std::string& key, OpKind kind, Duration time) {
  history::Operation operation{.kind = kind, .key = key, .value = ledger_.new_value()};
  PutOptions options;
  options.user[kValueField] = std::to_string(operation.value.value);
  if (kind == OpKind::kPutIfAbsent) options.conditions.must_not_exist = true;
  if (kind == OpKind::kPutIfMatch) {
    const auto seen = seen_.find(key);
    if (seen == seen_.end()) return;
    operation.if_value = seen->second.value;
    operation.if_version = seen->second.version;
    options.conditions.if_content_version = seen->second.version;
  }
  const Replay replay = replay_of(options.conditions);
  const history::ValueId value = operation.value;
  const auto id = begin(std::move(operation));
  const ObjectName name{ledger_.bucket(), key};
  const bool in_parts = ledger_.uploads() && kind == OpKind::kPut && value.value % 8 == 0;
  auto putting =
      in_parts
          ? put_in_parts(api, User::within(time), name, std::move(options), body_of(key, value))
          : put_once(api, User::within(time), name, std::move(options), body_of(key, value));
  const auto info = doors_.run(std::move(putting));
  Reply reply;
  if (info) {
    reply = {.outcome = Outcome::kOk, .value = value, .version = info->content_version};
  } else {
    reply.outcome = outcome_of(info.error(), replay);
    if (is_surprising(ledger_, info.error()))
      ledger_.wrong("put " + key + ": " + info.error().what());
  }
  note(key, reply);
  end_change(id, replay, std::move(reply));
}

/// Half of them as S3's, which cannot tell whether there was anything.
void Client::remove(ObjectApi& api, const std::string& key, Duration time) {
  RemoveOptions options{.missing_ok = random_() % 2 == 0};
  const Replay replay = replay_of(options);
  const auto id = begin({.kind = OpKind::kDelete, .key = key});
  const auto removed =
      doors_.run(api.remove(User::within(time), {ledger_.bucket(), key}, std::move(options)));
  Reply reply{.outcome = Outcome::kOk};
  if (!removed) {
    reply.outcome = outcome_of(removed.error(), replay);
    if (is_surprising(ledger_, removed.error())) {
      ledger_.wrong("remove " + key + ": " + removed.error().what());
    }
  }
  end_change(id, replay, std::move(reply));
}

std::optional<std::vector<std::string>> Client::list(ObjectApi& api,
                                                     const std::string& prefix,
                                                     std::uint32_t limit,
                                                     Duration time) {
  const std::uint64_t listing = (std::uint64_t{number_} << 32) + ++listings_;
  std::vector<std::string> all;
  std::string after;
  for (bool more = true; more;) {
    const auto id =
        begin({.kind = OpKind::kList, .key = prefix, .listing = listing, .after = after});
    ListOptions options{.prefix = prefix, .after = after, .limit = limit};
    const auto page =
        doors_.run(api.list(User::within(time), ledger_.bucket(), std::move(options)));
    if (!page) {
      if (is_surprising(ledger_, page.error())) ledger_.wrong("list: " + page.error().what());
      end(id, {.outcome = Outcome::kFailed});
      return std::nullopt;
    }
    Reply reply{.outcome = Outcome::kOk, .last = !page->more};
    for (const ListEntry& entry : page->entries) reply.entries.push_back(entry.key);
    all.insert(all.end(), reply.entries.begin(), reply.entries.end());
    more = page->more;
    after = page->next;
    end(id, std::move(reply));
  }
  return all;
}

}  // namespace aisfs::tests::storm
