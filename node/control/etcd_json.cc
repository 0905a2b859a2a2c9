// SPDX-License-Identifier: MIT
#include "node/control/etcd_json.h"

#include <boost/json.hpp>

#include "common/base/text.h"

namespace aisfs::control::etcd {
namespace {

// The codes of gRPC that etcd uses.
enum Grpc : std::int64_t {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kAborted = 10,
  kOutOfRange = 11,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

std::string encoded(std::string_view bytes) { return to_base64(as_bytes(bytes)); }

std::string_view text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}
bool truth(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}
const json::object* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}
const json::array& items(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

Error no_answer(const char* what) {
  return Error(Errc::corrupt, std::string("etcd: ") + what + " is not what etcd answers");
}

Result<meta::Revision> revision_of(const json::object& answer) {
  const json::object* header = member(answer, "header");
  if (header == nullptr) return no_answer("an answer without a header");
  return number(*header, "revision");
}

Result<meta::KeyValue> key_value(const Keys& keys, const json::object& object) {
  meta::KeyValue kv;
  TRY(kv.key, keys.ours(text(object, "key")));
  TRY(kv.value, from_base64(text(object, "value")));
  kv.create_revision = number(object, "create_revision");
  kv.mod_revision = number(object, "mod_revision");
  kv.version = number(object, "version");
  kv.lease = number(object, "lease");
  return kv;
}

Result<std::vector<meta::KeyValue>> key_values(const Keys& keys, const json::object& answer) {
  std::vector<meta::KeyValue> kvs;
  for (const json::value& item : items(answer, "kvs")) {
    if (!item.is_object()) return no_answer("a key");
    TRY(kvs.emplace_back(), key_value(keys, item.get_object()));
  }
  return kvs;
}

void put_range(const Keys& keys, const meta::Range& range, json::object& into) {
  into["key"] = keys.wire(range.begin);
  if (!range.end.empty()) into["range_end"] = keys.wire(range.end);
}

json::object compare(const Keys& keys, const meta::Compare& c) {
  using Is = meta::Compare::Is;
  using What = meta::Compare::What;
  json::object out;
  out["key"] = keys.wire(c.key);
  switch (c.is) {
    case Is::kEqual:
      out["result"] = "EQUAL";
      break;
    case Is::kNotEqual:
      out["result"] = "NOT_EQUAL";
      break;
    case Is::kLess:
      out["result"] = "LESS";
      break;
    case Is::kGreater:
      out["result"] = "GREATER";
      break;
  }
  const std::string number = std::to_string(c.number);
  switch (c.what) {
    case What::kVersion:
      out["target"] = "VERSION", out["version"] = number;
      break;
    case What::kCreateRevision:
      out["target"] = "CREATE", out["create_revision"] = number;
      break;
    case What::kModRevision:
      out["target"] = "MOD", out["mod_revision"] = number;
      break;
    case What::kValue:
      out["target"] = "VALUE", out["value"] = encoded(c.value);
      break;
  }
  return out;
}

json::object step(const Keys& keys, const meta::Step& s) {
  json::object request;
  put_range(keys, s.range, request);
  switch (s.kind) {
    case meta::Step::Kind::kGet:
      return {{"request_range", request}};
    case meta::Step::Kind::kRemove:
      return {{"request_delete_range", request}};
    case meta::Step::Kind::kPut:
      break;
  }
  request["value"] = encoded(s.value);
  if (s.lease != 0) request["lease"] = std::to_string(s.lease);
  return {{"request_put", request}};
}

json::array steps(const Keys& keys, const std::vector<meta::Step>& list) {
  json::array out;
  for (const meta::Step& s : list) out.push_back(step(keys, s));
  return out;
}

Result<meta::StepReply> step_reply(const Keys& keys, const json::object& answer) {
  meta::StepReply reply;
  if (const auto* removed = member(answer, "response_delete_range")) {
    reply.removed = number(*removed, "deleted");
  }
  if (const auto* range = member(answer, "response_range")) {
    TRY(reply.kvs, key_values(keys, *range));
  }
  return reply;
}

Result<meta::Event> event(const Keys& keys, const json::object& object) {
  meta::Event out;
  out.removed = text(object, "type") == "DELETE";
  const json::object* kv = member(object, "kv");
  if (kv == nullptr) return no_answer("an event without a key");
  TRY(out.kv, key_value(keys, *kv));
  if (const json::object* previous = member(object, "prev_kv")) {
    TRY(out.previous, key_value(keys, *previous));
  }
  return out;
}

Errc code_of(int status, std::int64_t grpc, std::string_view why) {
  switch (grpc) {
    case kInvalidArgument:
      return why.find("too large") != why.npos || why.find("too many operations") != why.npos
                 ? Errc::too_large
                 : Errc::invalid_argument;
    case kDeadlineExceeded:
      return Errc::timed_out;
    case kNotFound:
      return Errc::not_found;
    case kPermissionDenied:
      return Errc::permission_denied;
    case kUnauthenticated:
      return Errc::unauthenticated;
    case kOutOfRange:
      return Errc::out_of_range;
    case kResourceExhausted:
      return why.find("space") != why.npos ? Errc::no_space : Errc::overloaded;
    case kUnavailable:
      return Errc::unreachable;
    default:
      return status >= 500 ? Errc::unreachable : Errc::invalid_argument;
  }
}

}  // namespace

std::string Keys::wire(std::string_view key) const { return encoded(prefix_ + std::string(key)); }

Result<std::string> Keys::ours(std::string_view wire) const {
  TRY(std::string key, from_base64(wire));
  if (!key.starts_with(prefix_)) return no_answer("a key of somebody else");
  return key.substr(prefix_.size());
}

json::object range_request(const Keys& keys, const meta::GetRequest& request) {
  json::object out;
  put_range(keys, request.range, out);
  if (request.revision != 0) out["revision"] = std::to_string(request.revision);
  if (request.limit != 0) out["limit"] = std::to_string(request.limit);
  return out;
}

json::object txn_request(const Keys& keys, const meta::TxnRequest& request) {
  json::array compares;
  for (const meta::Compare& c : request.compares) compares.push_back(compare(keys, c));
  return {{"compare", std::move(compares)},
          {"success", steps(keys, request.then)},
          {"failure", steps(keys, request.otherwise)}};
}

json::object watch_request(const Keys& keys, const meta::WatchRequest& request) {
  json::object create;
  put_range(keys, request.range, create);
  create["start_revision"] = std::to_string(request.from);
  create["prev_kv"] = true;
  return {{"create_request", std::move(create)}};
}

Result<meta::GetReply> range_reply(const Keys& keys, const json::object& answer) {
  meta::GetReply reply;
  TRY(reply.revision, revision_of(answer));
  TRY(reply.kvs, key_values(keys, answer));
  reply.more = truth(answer, "more");
  return reply;
}

Result<meta::TxnReply> txn_reply(const Keys& keys, const json::object& answer) {
  meta::TxnReply reply;
  TRY(reply.revision, revision_of(answer));
  reply.succeeded = truth(answer, "succeeded");
  for (const json::value& item : items(answer, "responses")) {
    if (!item.is_object()) return no_answer("a step of a transaction");
    TRY(reply.steps.emplace_back(), step_reply(keys, item.get_object()));
  }
  return reply;
}

Result<WatchMessage> watch_message(const Keys& keys, const json::object& message) {
  if (const json::object* error = member(message, "error")) {
    return Error(code_of(500, number(*error, "grpc_code"), text(*error, "message")),
                 "etcd: watch: " + std::string(text(*error, "message")));
  }
  const json::object* result = member(message, "result");
  if (result == nullptr) return no_answer("a message of a watch");
  WatchMessage out;
  out.compacted = number(*result, "compact_revision");
  out.cancelled = truth(*result, "canceled");
  for (const json::value& item : items(*result, "events")) {
    if (!item.is_object()) return no_answer("an event");
    TRY(out.events.emplace_back(), event(keys, item.get_object()));
  }
  return out;
}

Result<json::object> parse(std::string_view text) {
  boost::system::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec || !value.is_object()) return no_answer("text that is no JSON object");
  return std::move(value.get_object());
}

std::int64_t number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return 0;
  if (value->is_int64()) return value->get_int64();
  return parse_i64(text(object, name)).value_or(0);
}

Error error_of(int status, std::string_view body) {
  const auto answer = parse(body);
  if (!answer) {
    return Error(status >= 500 ? Errc::unreachable : Errc::invalid_argument,
                 "etcd: status " + std::to_string(status));
  }
  // Of a stream the error is an object of its own.
  const json::object* streamed = member(*answer, "error");
  const json::object& error = streamed != nullptr ? *streamed : *answer;
  const std::string_view message = text(error, "message");
  const std::string why(message.empty() ? text(error, "error") : message);
  const std::int64_t code = number(error, streamed != nullptr ? "grpc_code" : "code");
  return Error(code_of(status, code, why), "etcd: " + why);
}

}  // namespace aisfs::control::etcd
