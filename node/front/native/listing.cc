// SPDX-License-Identifier: MIT
#include "node/front/native/listing.h"

#include <boost/json/array.hpp>
#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/client/merge.h"
#include "node/front/native/msgpack.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::uint32_t kPageMax = 10'000;
constexpr std::uint64_t kCachedFlag = 1 << 6;
constexpr std::uint64_t kDirectoryFlag = 1 << 8;

bool is_directory(const ListEntry& entry) { return entry.is_prefix || entry.key.ends_with('/'); }

/// "02 Jan 06 15:04 MST" (Go's RFC822), AIStore's default for times in listings.
std::string rfc822_time(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t n = std::strftime(text, sizeof text, "%d %b %y %H:%M UTC", &parts);
  return {text, n};
}

/// An entry as both encodings show it: only what was asked for.
struct Shown {
  std::string checksum, atime, version, location;
  std::uint64_t size = 0, copies = 0, flags = 0;
};

/// Checksums are not in the summary that a plain listing has of an object.
bool shows_checksums(const ListRequest& request) {
  return !request.has(ListRequest::kNameOnly) && !request.has(ListRequest::kNameSize) &&
         request.wants("checksum");
}

Shown show(const ListRequest& request, const ListEntry& entry) {
  Shown shown;
  if (is_directory(entry)) {
    shown.flags = kDirectoryFlag;
    return shown;
  }
  shown.flags = kCachedFlag;
  if (request.has(ListRequest::kNameOnly)) return shown;
  if (request.wants("size")) shown.size = entry.info.size;
  if (request.has(ListRequest::kNameSize)) return shown;
  if (shows_checksums(request)) shown.checksum = checksum_of(entry.info).value;
  if (request.wants("version")) shown.version = entry.info.content_version.to_string();
  if (request.wants("atime")) shown.atime = rfc822_time(entry.info.modified_ns);
  if (request.wants("copies")) shown.copies = 1;
  return shown;
}

void write_entry(MsgpackWriter& out, const ListEntry& entry, const Shown& s) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"cs", &s.checksum}, {"a", &s.atime}, {"v", &s.version}, {"t", &s.location}};
  const std::pair<const char*, std::uint64_t> numbers[] = {
      {"s", s.size}, {"c", s.copies}, {"f", s.flags}};
  std::uint32_t members = 1;
  for (const auto& [_, text] : texts) members += text->empty() ? 0 : 1;
  for (const auto& [_, number] : numbers) members += number == 0 ? 0 : 1;
  out.map(members);
  out.text("n");
  out.text(entry.key);
  for (const auto& [key, text] : texts) {
    if (text->empty()) continue;
    out.text(key);
    out.text(*text);
  }
  for (const auto& [key, number] : numbers) {
    if (number == 0) continue;
    out.text(key);
    out.number(number);
  }
}

json::object entry_json(const ListEntry& entry, const Shown& s) {
  json::object out;
  out["name"] = entry.key;
  if (!s.checksum.empty()) out["checksum"] = s.checksum;
  if (!s.atime.empty()) out["atime"] = s.atime;
  if (!s.version.empty()) out["version"] = s.version;
  if (!s.location.empty()) out["location"] = s.location;
  if (s.size != 0) out["size"] = std::to_string(s.size);
  if (s.copies != 0) out["copies"] = s.copies;
  if (s.flags != 0) out["flags"] = s.flags;
  return out;
}

std::string new_uuid() {
  std::string text = to_base64url(as_bytes(random_bytes(9)));
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '-' || c == '_'; }, 'a');
  return text;
}

/// A token is the last name of the page before; behind a common prefix the next page begins after
/// all that is below it.
std::string after_of(const ListRequest& request) {
  if (request.token.empty()) return request.start_after;
  const bool behind_prefix = request.has(ListRequest::kNoRecursion) && request.token.ends_with('/');
  const std::string after = behind_prefix ? after_prefix(request.token) : request.token;
  return std::max(after, request.start_after);
}

/// A prefix that is itself a directory means what is in it, as in AIStore.
Task<Result<std::string>> effective_prefix(Call& call, BucketName bucket, ListRequest request) {
  std::string prefix = request.prefix;
  const bool candidate = request.has(ListRequest::kNoRecursion) && !prefix.empty() &&
                         !prefix.ends_with('/') && !prefix.starts_with('/');
  if (!candidate) co_return prefix;
  CO_TRY(const LookupReply found, co_await call.objects.lookup(call.context, bucket, prefix));
  if (found.kind == LookupReply::Kind::kDirectory) prefix += "/";
  co_return prefix;
}

Result<ListOptions> options_of(const ListRequest& request, std::string prefix) {
  ListOptions options;
  options.prefix = std::move(prefix);
  options.after = after_of(request);
  if (request.has(ListRequest::kNoRecursion)) options.delimiter = "/";
  options.limit = request.page_size == 0 ? kPageMax : std::min(request.page_size, kPageMax);
  options.attributes = shows_checksums(request);
  return options;
}

/// The marker of the listed directory itself and, where AIStore shows none, directories.
bool is_hidden(const ListRequest& request, const ListOptions& options, const ListEntry& entry) {
  if (!is_directory(entry)) return false;
  return !request.has(ListRequest::kNoRecursion) || request.has(ListRequest::kNoDirs) ||
         entry.key == options.prefix;
}

/// A page may be all directories that are not shown; AIStore's clients take an empty page for the
/// end only when the token is empty too, so it is passed on as it is.
Task<Result<ListResult>> list_page(Call& call, BucketName bucket, ListRequest request) {
  CO_TRY(std::string prefix, co_await effective_prefix(call, bucket, request));
  CO_TRY(const ListOptions options, options_of(request, std::move(prefix)));
  CO_TRY(ListPage page, co_await call.objects.list(call.context, std::move(bucket), options));
  ListResult result;
  result.uuid = request.uuid.empty() ? new_uuid() : request.uuid;
  if (page.more && !page.entries.empty()) result.token = page.entries.back().key;
  std::erase_if(page.entries,
                [&](const ListEntry& entry) { return is_hidden(request, options, entry); });
  result.entries = std::move(page.entries);
  co_return result;
}

}  // namespace

bool ListRequest::wants(std::string_view property) const {
  return props.empty() || std::find(props.begin(), props.end(), property) != props.end();
}

ListRequest parse_list_request(const json::value& message) {
  ListRequest request;
  request.uuid = text_member(message, "uuid");
  request.prefix = text_member(message, "prefix");
  request.start_after = text_member(message, "start_after");
  request.token = text_member(message, "continuation_token");
  request.time_format = text_member(message, "time_format");
  request.flags = number_member(message, "flags");
  request.page_size = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(number_member(message, "pagesize"), kPageMax));
  const std::string props = text_member(message, "props");
  for (const std::string_view property : split(props, ',')) {
    if (!trim(property).empty()) request.props.emplace_back(trim(property));
  }
  return request;
}

std::string to_msgpack(const ListRequest& request, const ListResult& result) {
  MsgpackWriter out;
  out.map(4);
  out.text("UUID");
  out.text(result.uuid);
  out.text("ContinuationToken");
  out.text(result.token);
  out.text("Flags");
  out.number(0);
  out.text("Entries");
  out.array(static_cast<std::uint32_t>(result.entries.size()));
  for (const ListEntry& entry : result.entries) write_entry(out, entry, show(request, entry));
  return std::move(out).take();
}

json::object to_json(const ListRequest& request, const ListResult& result) {
  json::array entries;
  for (const ListEntry& entry : result.entries) {
    entries.push_back(entry_json(entry, show(request, entry)));
  }
  return {{"uuid", result.uuid},
          {"continuation_token", result.token},
          {"entries", std::move(entries)},
          {"flags", 0}};
}

Task<void> serve_list(Call& call, BucketName bucket, json::value message) {
  const ListRequest request = parse_list_request(message);
  auto result = co_await list_page(call, std::move(bucket), request);
  if (!result) co_return co_await reply_error(call, std::move(result).error());
  if (call.field("Accept").find("application/msgpack") == std::string_view::npos) {
    co_return co_await reply_json(call, to_json(request, *result));
  }
  http::ResponseHead head;
  head.fields.set("Content-Type", "application/msgpack");
  std::string body = to_msgpack(request, *result);
  (void)co_await call.exchange.respond(std::move(head), std::move(body));
}

Task<Result<BucketSummary>> summarize(Call& call, BucketName bucket, std::string prefix) {
  BucketSummary sum;
  ListOptions options;
  options.prefix = std::move(prefix);
  options.limit = kPageMax;
  for (bool more = true; more;) {
    CO_TRY(const ListPage page, co_await call.objects.list(call.context, bucket, options));
    for (const ListEntry& entry : page.entries) {
      const std::uint64_t size = entry.info.size;
      sum.min_size = sum.objects == 0 ? size : std::min(sum.min_size, size);
      sum.max_size = std::max(sum.max_size, size);
      sum.bytes += size;
      ++sum.objects;
    }
    more = page.more;
    options.after = page.next;
  }
  co_return sum;
}

}  // namespace aisfs::native
