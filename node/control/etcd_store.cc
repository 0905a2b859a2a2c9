// SPDX-License-Identifier: MIT
#include "node/control/etcd_store.h"

#include <boost/json.hpp>

#include "common/async/timeout.h"
#include "common/client/retry.h"

namespace aisfs::control {
namespace {

// An election takes about 1.5 s; a member without a majority says so after seven.
constexpr Duration kOperationMax = std::chrono::seconds(8);
/// For a member that does not answer, while others are there to ask.
constexpr Duration kTryMax = std::chrono::milliseconds(1500);
/// For what is sent once: it waits for an election.
constexpr Duration kOnlyTryMax = std::chrono::seconds(4);
/// A watch that waits for nothing is answered from what is there already.
constexpr Duration kHistoryMax = std::chrono::seconds(1);
constexpr std::size_t kAnswerBytesMax = 64 << 20;
constexpr std::size_t kMessageBytesMax = 16 << 20;

bool is_away(const Error& error) {
  return error == Errc::unreachable || error == Errc::timed_out || error == Errc::overloaded;
}

Status check_size(const std::vector<meta::Step>& steps) {
  for (const meta::Step& step : steps) {
    if (step.range.begin.size() > kMetaKeyBytesMax) return Errc::name_too_long;
    if (step.value.size() > kMetaValueBytesMax) {
      return Error(Errc::too_large, "the value of " + step.range.begin + " is over 1 MiB");
    }
  }
  return {};
}

Error compacted(meta::Revision from, meta::Revision first) {
  return Error(Errc::out_of_range, "revision " + std::to_string(from) +
                                       " is compacted; the first is " + std::to_string(first));
}

/// Messages end with a newline each.
class Messages {
 public:
  explicit Messages(BodySource& body) : body_(body) {}

  Task<Result<std::string>> next() {
    while (true) {
      const std::size_t end = text_.find('\n', looked_);
      if (end != text_.npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        looked_ = 0;
        co_return line;
      }
      looked_ = text_.size();
      if (looked_ > kMessageBytesMax) co_return Error(Errc::too_large, "etcd: a watch's message");
      const std::size_t n = looked_;
      text_.resize(n + kReadBytes);
      auto got = co_await body_.read(as_writable_bytes(text_).subspan(n));
      text_.resize(n + (got ? *got : 0));
      if (!got) co_return std::move(got).error();
      if (*got == 0) co_return Error(Errc::unreachable, "etcd: the member ended the watch");
    }
  }

 private:
  static constexpr std::size_t kReadBytes = 16 << 10;
  static MutableBytes as_writable_bytes(std::string& text) {
    return std::as_writable_bytes(std::span(text));
  }

  BodySource& body_;
  std::string text_;
  std::size_t looked_ = 0;
};

}  // namespace

EtcdStore::EtcdStore(http::Client& http, EtcdOptions options)
    : http_(http), options_(std::move(options)), keys_(options_.prefix) {
  AISFS_ASSERT(!options_.endpoints.empty());
}

void EtcdStore::pass_over(std::size_t member) {
  std::size_t now = member_.load();
  if (now % options_.endpoints.size() == member) member_.compare_exchange_strong(now, now + 1);
}

http::ClientRequest EtcdStore::post(const Endpoint& to,
                                    std::string path,
                                    std::string body,
                                    Duration max) const {
  http::ClientRequest request;
  request.to = to;
  request.head.method = http::Method::kPost;
  request.head.target = "/v3/" + std::move(path);
  request.head.fields.set("Content-Type", "application/json");
  request.body = std::move(body);
  request.deadline = Deadline::after(max);
  return request;
}

Task<Result<etcd::json::object>> EtcdStore::ask(std::string path,
                                                etcd::json::object body,
                                                Twice twice) {
  const std::string text = etcd::json::serialize(body);
  const Deadline deadline = Deadline::after(kOperationMax);
  Backoff backoff;
  for (std::size_t attempt = 1;; ++attempt) {
    const std::size_t at = member();
    const bool others = options_.endpoints.size() > 1;
    const Duration max = twice == Twice::kNever ? kOnlyTryMax : others ? kTryMax : kOperationMax;
    http::ClientRequest request = post(options_.endpoints[at], path, text, max);
    request.once = twice == Twice::kNever;
    auto answer = co_await http_.call(std::move(request), kAnswerBytesMax);
    if (answer && answer->head.status == 200) co_return etcd::parse(answer->body);
    Error why =
        answer ? etcd::error_of(answer->head.status, answer->body) : std::move(answer).error();
    if (!is_away(why)) co_return why;
    pass_over(at);
    if (twice == Twice::kNever && !why.never_sent()) co_return why;
    const bool all_asked = attempt % options_.endpoints.size() == 0;
    if (all_asked && !co_await backoff.wait(deadline)) co_return why;
    if (deadline.expired()) co_return why;
  }
}

Task<Result<meta::GetReply>> EtcdStore::get(meta::GetRequest request) {
  CO_TRY(const auto answer,
         co_await ask("kv/range", etcd::range_request(keys_, request), Twice::kHarmless));
  co_return etcd::range_reply(keys_, answer);
}

Task<Result<meta::TxnReply>> EtcdStore::txn(meta::TxnRequest request) {
  CO_CHECK_OK(check_size(request.then));
  CO_CHECK_OK(check_size(request.otherwise));
  CO_TRY(const auto answer,
         co_await ask("kv/txn", etcd::txn_request(keys_, request), Twice::kNever));
  co_return etcd::txn_reply(keys_, answer);
}

Task<Result<meta::LeaseId>> EtcdStore::grant(Duration ttl) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(ttl).count();
  etcd::json::object body{{"TTL", std::to_string(seconds)}};
  CO_TRY(const auto answer, co_await ask("lease/grant", std::move(body), Twice::kNever));
  co_return etcd::number(answer, "ID");
}

Task<Result<Duration>> EtcdStore::keep_alive(meta::LeaseId lease) {
  etcd::json::object body{{"ID", std::to_string(lease)}};
  CO_TRY(const auto answer, co_await ask("lease/keepalive", std::move(body), Twice::kHarmless));
  const etcd::json::value* result = answer.if_contains("result");
  const bool there = result != nullptr && result->is_object();
  const std::int64_t seconds = there ? etcd::number(result->get_object(), "TTL") : 0;
  if (seconds <= 0) co_return Error(Errc::not_found, "the lease has ended");
  co_return std::chrono::seconds(seconds);
}

Task<Status> EtcdStore::revoke(meta::LeaseId lease) {
  etcd::json::object body{{"ID", std::to_string(lease)}};
  const auto answer = co_await ask("lease/revoke", std::move(body), Twice::kNever);
  co_return answer ? Status() : Status(answer.error());
}

Task<Result<meta::WatchReply>> EtcdStore::watch(meta::WatchRequest request) {
  const Duration wait = std::max(Duration(request.wait_ns), kHistoryMax);
  const Deadline deadline = Deadline::after(wait);
  const meta::WatchReply nothing{.next = request.from, .events = {}};
  bool watches = false;
  Backoff backoff;
  while (true) {
    const std::size_t at = member();
    auto reply =
        co_await with_timeout(watch_at(options_.endpoints[at], request, watches), deadline);
    if (reply) co_return reply;
    if (watches && deadline.expired()) co_return nothing;
    if (!is_away(reply.error())) co_return std::move(reply).error();
    pass_over(at);
    if (!co_await backoff.wait(deadline)) co_return std::move(reply).error();
  }
}

/// One watch is one answer that goes on until we hang up.
Task<Result<meta::WatchReply>> EtcdStore::watch_at(Endpoint member,
                                                   meta::WatchRequest request,
                                                   bool& watches) {
  std::string body = etcd::json::serialize(etcd::watch_request(keys_, request));
  http::ClientRequest to_send = post(member, "watch", std::move(body), kTryMax);
  CO_TRY(auto response, co_await http_.send(std::move(to_send)));
  if (response.status() != 200) {
    CO_TRY(const std::string text, co_await read_all(response.body(), kMessageBytesMax));
    co_return etcd::error_of(response.status(), text);
  }
  watches = true;
  Messages messages(response.body());
  while (true) {
    CO_TRY(const std::string line, co_await messages.next());
    CO_TRY(const auto object, etcd::parse(line));
    CO_TRY(auto message, etcd::watch_message(keys_, object));
    if (message.compacted != 0) co_return compacted(request.from, message.compacted);
    if (message.cancelled) co_return Error(Errc::unreachable, "etcd: the watch was cancelled");
    if (message.events.empty()) continue;
    const meta::Revision next = message.events.back().kv.mod_revision + 1;
    co_return meta::WatchReply{.next = next, .events = std::move(message.events)};
  }
}

}  // namespace aisfs::control
