// SPDX-License-Identifier: MIT
#include "node/front/native/reply.h"

#include <boost/json/serialize.hpp>

#include "common/base/text.h"
#include "common/wire/data.h"
#include "common/wire/error_text.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

std::string error_json(http::Exchange& exchange, const std::string& node_id, const Error& error) {
  // The message comes first: the SDK searches the whole text for the first "ais://".
  json::object body;
  body["message"] = error.what();
  body["method"] = http::to_string(exchange.request().method);
  body["url_path"] = exchange.target().raw_path;
  body["remote_addr"] = exchange.peer();
  body["caller"] = "";
  body["node"] = node_id;
  body["status"] = info(error.code()).http;
  return json::serialize(body);
}

bool is_header_safe(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_md5(std::string_view etag) {
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == etag.npos;
}

/// The answer, of which `head` says more already.
Task<void> send_error(http::Exchange& exchange,
                      std::string node_id,
                      Error error,
                      http::ResponseHead head) {
  head.status = info(error.code()).http;
  head.fields.set(wire::kErrorHeader, wire::encode_error(error));
  std::string body;
  if (head.status != 304) {
    body = error_json(exchange, node_id, error);
    head.fields.set("Content-Type", "application/json");
    head.fields.set("X-Content-Type-Options", "nosniff");
  }
  if (exchange.request().method == http::Method::kHead) {
    head.fields.set("Hdr-Error", body);
    body.clear();
  }
  (void)co_await exchange.respond(std::move(head), std::move(body));
}

}  // namespace

Task<void> reply_error(http::Exchange& exchange, std::string node_id, Error error) {
  return send_error(exchange, std::move(node_id), std::move(error), {});
}

Task<void> reply_error(const Call& call, Error error) {
  http::ResponseHead head;
  add_clock(call, head.fields);
  if (error.code() == Errc::stale_map) {
    head.fields.set(wire::kEpochHeader, std::to_string(call.maps.current()->epoch));
  }
  return send_error(call.exchange, call.node_id, std::move(error), std::move(head));
}

void add_clock(const Call& call, http::Fields& fields) {
  if (!call.marked) return;
  if (const Version last = call.objects.last_version()) {
    fields.set(wire::kClockHeader, last.to_string());
  }
}

Task<void> reply_ok(const Call& call) { return reply_text(call, {}); }

Task<void> reply_text(const Call& call, std::string text, int status) {
  http::ResponseHead head;
  head.status = status;
  if (!text.empty()) head.fields.set("Content-Type", "text/plain; charset=utf-8");
  (void)co_await call.exchange.respond(std::move(head), std::move(text));
}

Task<void> reply_json(const Call& call, json::value value) {
  http::ResponseHead head;
  head.fields.set("Content-Type", "application/json");
  std::string body = json::serialize(value);
  (void)co_await call.exchange.respond(std::move(head), std::move(body));
}

Task<void> reply_body(const Call& call, http::ResponseHead head, BodySource& body) {
  Status sent = co_await call.exchange.respond(std::move(head), body);
  if (!sent && !call.exchange.responded()) co_await reply_error(call, std::move(sent).error());
}

Task<void> reply_status(const Call& call, Status result) {
  return result ? reply_ok(call) : reply_error(call, std::move(result).error());
}

Error about_object(Error error, const ObjectName& name) {
  const bool named = error.what().find("://") != std::string::npos;
  if (error.code() != Errc::not_found || named) return error;
  return Error(Errc::not_found, name.display() + " does not exist");
}

ShownChecksum checksum_of(const ObjectInfo& info) {
  if (const auto it = info.checksums.find("xxhash"); it != info.checksums.end()) {
    return {"xxhash2", it->second};
  }
  if (is_md5(info.etag)) return {"md5", info.etag};
  for (const char* type : {"crc32c", "sha256"}) {
    const auto it = info.checksums.find(type);
    if (it == info.checksums.end()) continue;
    if (const auto raw = from_base64(it->second)) return {type, to_hex(as_bytes(*raw))};
  }
  return {};
}

void add_object(http::Fields& fields, const ObjectInfo& info) {
  add_info(fields, info);
  const std::string& type = info.content_type;
  fields.set("Content-Type", type.empty() ? "application/octet-stream" : type);
}

void add_info(http::Fields& fields, const ObjectInfo& info) {
  fields.set("ETag", "\"" + info.etag + "\"");
  fields.set("Last-Modified", http::http_date(info.modified_ns));
  fields.set("Accept-Ranges", "bytes");
  fields.set("Ais-Version", info.content_version.to_string());
  fields.set("Ais-Atime",
             std::to_string(info.posix ? info.posix->atime_ns : info.modified_ns));
  if (const ShownChecksum sum = checksum_of(info); !sum.type.empty()) {
    fields.set("Ais-Checksum-Type", sum.type);
    fields.set("Ais-Checksum-Value", sum.value);
  }
  for (const auto& [key, value] : info.user) {
    const std::string line = key + "=" + value;
    if (is_header_safe(line)) fields.add("Ais-Custom-Md", line);
  }
}

}  // namespace aisfs::native
