// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/listing.h"
#include "aisfs/cli/units.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

struct LsOptions {
  std::string location;
  bool wide = false;
  bool all = false;
  bool one_level = false;
  std::uint64_t limit = 0;
};

Task<Status> list_buckets(Session& s) {
  CO_TRY(const std::vector<Bucket> buckets, co_await s.admin().list_buckets(s.context()));
  if (s.out.json()) {
    JsonArray list;
    for (const Bucket& bucket : buckets) list.push_back(bucket_json(bucket));
    s.out.json_line(std::move(list));
    co_return Status{};
  }
  if (buckets.empty()) s.out.note("No buckets in the cluster. Make one: ais create ais://NAME");
  Table table({{"NAME"}, {"OWNER"}, {"CREATED"}, {"COPIES", Align::kRight}});
  for (const Bucket& b : buckets) {
    table.add_row(
        {b.name.display(), b.owner, local_time(b.created_ns), std::to_string(b.props.copies)});
  }
  if (!table.empty()) s.out.table(table);
  co_return Status{};
}

/// Directory markers stand for directories that are empty or have attributes; a listing of
/// objects leaves them out.
bool is_shown(const LsOptions& options, const ListEntry& entry) {
  return options.all || options.one_level || entry.is_prefix || !entry.key.ends_with('/');
}

JsonObject entry_json(const ListEntry& entry) {
  JsonObject object;
  put_name(object, "name", entry.key);
  if (entry.is_prefix) {
    object["directory"] = true;
    return object;
  }
  object["size"] = entry.info.size;
  object["modified"] = iso_time(entry.info.modified_ns);
  object["etag"] = entry.info.etag;
  if (entry.info.posix) {
    object["mode"] = entry.info.posix->mode;
    object["uid"] = entry.info.posix->uid;
    object["gid"] = entry.info.posix->gid;
    object["mtime"] = iso_time(entry.info.posix->mtime_ns);
    if (!entry.info.posix->symlink.empty()) put_name(object, "symlink", entry.info.posix->symlink);
  }
  return object;
}

std::vector<Column> columns_of(const LsOptions& options) {
  if (!options.wide) return {{"NAME"}, {"SIZE", Align::kRight}};
  return {{"MODE"}, {"OWNER"}, {"SIZE", Align::kRight}, {"MODIFIED"}, {"NAME"}};
}

std::vector<std::string> row_of(const LsOptions& options, const ListEntry& entry) {
  const std::string size = entry.is_prefix ? "" : human_size(entry.info.size);
  if (!options.wide) return {entry.key, size};
  if (entry.is_prefix) return {"d", "", "", "", entry.key};
  const auto& posix = entry.info.posix;
  std::string name = entry.key;
  if (posix && !posix->symlink.empty()) name += " -> " + posix->symlink;
  return {posix ? mode_text(posix->mode) : "-",
          posix ? std::to_string(posix->uid) + ":" + std::to_string(posix->gid) : "-", size,
          local_time(posix ? posix->mtime_ns : entry.info.modified_ns), std::move(name)};
}

ListOptions request_of(const LsOptions& options, const std::string& prefix) {
  constexpr std::uint64_t kPage = 10'000;
  ListOptions request;
  request.prefix = prefix;
  if (options.one_level) request.delimiter = "/";
  if (options.limit != 0)
    request.limit = static_cast<std::uint32_t>(std::min(options.limit, kPage));
  else
    request.limit = kPage;
  request.attributes = options.wide || options.all;
  return request;
}

/// Prints as the pages come: a table a page, or an object a line with --json.
Task<Status> list_objects(Session& s, const LsOptions& options, Location location) {
  Table table(columns_of(options));
  std::uint64_t count = 0, bytes = 0;
  auto show = [&](const ListPage& page) {
    for (const ListEntry& entry : page.entries) {
      if (!is_shown(options, entry)) continue;
      if (options.limit != 0 && count == options.limit) break;
      ++count;
      bytes += entry.info.size;
      if (s.out.json())
        s.out.json_line(entry_json(entry));
      else
        table.add_row(row_of(options, entry));
    }
    if (!table.empty()) s.out.table(table);
    return options.limit == 0 || count < options.limit;
  };
  CO_CHECK_OK(co_await list_all(s, location.bucket, request_of(options, location.key), show));
  if (count == 0)
    s.out.note("No objects in " + location.display());
  else if (s.out.options().out_is_terminal)
    s.out.note("Listed " + count_of(count, "name") + ", " + human_size(bytes));
  co_return Status{};
}

Task<Status> run_ls(Session& s, const LsOptions& options) {
  if (options.location.empty()) co_return co_await list_buckets(s);
  CO_TRY(Location location, parse_location(options.location));
  co_return co_await list_objects(s, options, std::move(location));
}

}  // namespace

void add_ls(Command& root) {
  auto options = std::make_shared<LsOptions>();
  Command& ls = root.sub("ls", "List buckets, or the objects of a bucket");
  ls.word("location", options->location, Names::kObject, Command::Need::kOptional,
          "BUCKET or BUCKET/PREFIX; without it: the buckets");
  ls.flag("-l,--long", options->wide, "Mode, owner, time of change too");
  ls.flag("-a,--all", options->all, "Directory markers (names that end in '/') too");
  ls.flag("--one-level,--nr", options->one_level, "Like one directory: names up to the next '/'");
  ls.number("--limit", options->limit, "N", "At most so many names; 0: all");
  ls.examples(
      "  ais ls\n  ais ls ais://demo\n  ais ls -l demo/photos/\n  ais ls demo --json | jq -r "
      ".name");
  ls.action([options](Session& s) { return run_ls(s, *options); });
}

}  // namespace aisfs::cli
