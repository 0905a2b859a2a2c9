// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"
#include "aisfs/cli/units.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

JsonObject text_map_json(const std::map<std::string, std::string>& map) {
  JsonObject object;
  for (const auto& [name, value] : map) put_name(object, name, value);
  return object;
}

JsonObject object_json(const ObjectName& name, const ObjectInfo& info) {
  JsonObject object;
  put_name(object, "name", name.display());
  object["size"] = info.size;
  object["modified"] = iso_time(info.modified_ns);
  object["etag"] = info.etag;
  object["content_type"] = info.content_type;
  object["content_version"] = info.content_version.to_string();
  object["meta_version"] = info.meta_version.to_string();
  object["inode"] = to_hex(info.ino);
  object["headers"] = text_map_json(info.headers);
  object["user"] = text_map_json(info.user);
  object["xattrs"] = text_map_json(info.xattrs);
  object["checksums"] = text_map_json(info.checksums);
  if (info.posix) {
    object["mode"] = info.posix->mode;
    object["uid"] = info.posix->uid;
    object["gid"] = info.posix->gid;
    object["mtime"] = iso_time(info.posix->mtime_ns);
    if (!info.posix->symlink.empty()) put_name(object, "symlink", info.posix->symlink);
  }
  return object;
}

void add_map(Table& table, const std::string& kind, const std::map<std::string, std::string>& map) {
  for (const auto& [name, value] : map) table.add_row({kind + " " + name, value});
}

void print_object(Output& out, const ObjectName& name, const ObjectInfo& info) {
  Table table({{"PROPERTY"}, {"VALUE"}});
  table.add_row({"name", name.display()});
  table.add_row({"size", human_size(info.size) + " (" + std::to_string(info.size) + ")"});
  table.add_row({"modified", local_time(info.modified_ns)});
  table.add_row({"etag", info.etag});
  if (!info.content_type.empty()) table.add_row({"content-type", info.content_type});
  if (info.posix) {
    table.add_row({"mode", mode_text(info.posix->mode)});
    table.add_row(
        {"owner", std::to_string(info.posix->uid) + ":" + std::to_string(info.posix->gid)});
    table.add_row({"mtime", local_time(info.posix->mtime_ns)});
    if (!info.posix->symlink.empty()) table.add_row({"symlink", info.posix->symlink});
  }
  table.add_row({"version", info.content_version.to_string()});
  table.add_row({"inode", to_hex(info.ino)});
  add_map(table, "header", info.headers);
  add_map(table, "user", info.user);
  add_map(table, "xattr", info.xattrs);
  add_map(table, "checksum", info.checksums);
  out.table(table);
}

Task<Status> run_head(Session& s, const std::string& text) {
  CO_TRY(const Location location, parse_location(text));
  if (location.key.empty()) {
    CO_TRY(const Bucket bucket, co_await s.admin().find_bucket(s.context(), location.bucket));
    if (s.out.json())
      s.out.json_line(bucket_json(bucket));
    else
      print_bucket(s.out, bucket);
    co_return Status{};
  }
  ObjectName name = location.object();
  Conditions anything;
  CO_TRY(const ObjectInfo info, co_await s.objects().head(s.context(), name, anything));
  if (s.out.json())
    s.out.json_line(object_json(name, info));
  else
    print_object(s.out, name, info);
  co_return Status{};
}

}  // namespace

void add_head(Command& root) {
  auto location = std::make_shared<std::string>();
  Command& head = root.sub("head", "Show everything about an object but its bytes");
  head.word("object", *location, Names::kObject, Command::Need::kRequired, "BUCKET/NAME");
  head.examples("  ais head demo/README.md\n  ais head demo/README.md --json");
  head.action([location](Session& s) { return run_head(s, *location); });
}

}  // namespace aisfs::cli
