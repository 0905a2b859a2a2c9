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
constexpr std::uint32_t kStep = 1'000;  // of a page, listed at once
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

/// A page in the making, encoded entry by entry: as objects, 10,000 of them would be several MB
/// that the kernel has to clear for each page.
class Page {
 public:
  Page(const ListRequest& request, bool packed) : request_(request), packed_(packed) {}

  void add(const ListEntry& entry) {
    ++count_;
    if (packed_) return write_entry(out_, entry, show(request_, entry));
    entries_.push_back(entry_json(entry, show(request_, entry)));
  }
  std::string msgpack(std::string_view token) && {
    MsgpackWriter whole;
    whole.map(4);
    whole.text("UUID");
    whole.text(uuid());
    whole.text("ContinuationToken");
    whole.text(token);
    whole.text("Flags");
    whole.number(0);
    whole.text("Entries");
    whole.array(count_);
    whole.append(std::move(out_));
    return std::move(whole).take();
  }
  json::object to_json(std::string_view token) && {
    return {{"uuid", uuid()},
            {"continuation_token", token},
            {"entries", std::move(entries_)},
            {"flags", 0}};
  }

 private:
  std::string uuid() const { return request_.uuid.empty() ? new_uuid() : request_.uuid; }

  const ListRequest& request_;
  const bool packed_;
  std::uint32_t count_ = 0;
  MsgpackWriter out_;
  json::array entries_;
};

/// Lists into the page; the token of the next one, "" after the last. A page may be all directories
/// that are not shown; AIStore's clients take an empty page for the end only when the token is
/// empty too, so it is passed on as it is.
Task<Result<std::string>> fill(Call& call, BucketName bucket, ListRequest request, Page& page) {
  CO_TRY(std::string prefix, co_await effective_prefix(call, bucket, request));
  CO_TRY(ListOptions options, options_of(request, std::move(prefix)));
  std::string token;
  for (std::uint32_t left = options.limit; left > 0;) {
    options.limit = std::min(left, kStep);
    CO_TRY(const ListPage some, co_await call.objects.list(call.context, bucket, options));
    for (const ListEntry& entry : some.entries) {
      if (!is_hidden(request, options, entry)) page.add(entry);
    }
    if (!some.more || some.entries.empty()) co_return std::string();
    token = some.entries.back().key;
    options.after = some.next;
    left -= std::min(left, static_cast<std::uint32_t>(some.entries.size()));
  }
  co_return token;
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

Task<void> serve_list(Call& call, BucketName bucket, json::value message) {
  const ListRequest request = parse_list_request(message);
  const bool packed = call.field("Accept").find("application/msgpack") != std::string_view::npos;
  Page page(request, packed);
  const auto token = co_await fill(call, std::move(bucket), request, page);
  if (!token) co_return co_await reply_error(call, token.error());
  if (!packed) co_return co_await reply_json(call, std::move(page).to_json(*token));
  http::ResponseHead head;
  head.fields.set("Content-Type", "application/msgpack");
  std::string body = std::move(page).msgpack(*token);
  (void)co_await call.exchange.respond(std::move(head), std::move(body));
}

Task<Result<BucketSummary>> summarize(Call& call, BucketName bucket, std::string prefix) {
  BucketSummary sum;
  ListOptions options;
  options.prefix = std::move(prefix);
  options.limit = kStep;
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
