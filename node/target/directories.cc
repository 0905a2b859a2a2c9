// SPDX-License-Identifier: MIT
// Names as a file system sees them. A directory's home is the owner of its marker "path/".
#include <algorithm>

#include "common/async/gather.h"
#include "common/base/defer.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "node/target/levels.h"
#include "node/target/local_target.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

constexpr std::uint32_t kRenamePage = 1000;
// They share their barriers: many at once take hardly longer than one.
constexpr std::size_t kRenamesAtOnce = 64;

/// Anything below the directory but its marker.
Task<Result<bool>> has_entries(Context context,
                               ObjectApi& cluster,
                               BucketName bucket,
                               std::string marker) {
  ListOptions options{.prefix = marker, .after = marker, .limit = 1};
  CO_TRY(const ListPage page,
         co_await cluster.list(std::move(context), std::move(bucket), std::move(options)));
  co_return !page.entries.empty();
}

/// One name of a renamed directory; one that is gone has moved before.
Task<Status> move_name(Context context, ObjectApi& cluster, ObjectName from, ObjectName to) {
  RenameOptions plain;
  auto moved =
      co_await cluster.rename(std::move(context), std::move(from), std::move(to), std::move(plain));
  if (!moved && moved.error() != Errc::not_found) co_return std::move(moved).error();
  co_return Status{};
}

}  // namespace

Task<Result<LookupReply>> LocalTarget::lookup(Context context, BucketName name, std::string path) {
  CO_TRY(const Bucket bucket, admit(context, name));
  LookupReply reply;
  if (path.empty()) {
    reply.kind = LookupReply::Kind::kDirectory;
    co_return reply;
  }
  ObjectName marker{name, path + "/"};
  Conditions none;
  auto dir = co_await head(context, marker, none);
  if (dir) {
    reply.kind = LookupReply::Kind::kDirectory;
    reply.explicit_dir = true;
    reply.info = *std::move(dir);
    co_return reply;
  }
  if (dir.error() != Errc::not_found && dir.error() != Errc::name_too_long) {
    co_return std::move(dir).error();
  }
  CO_TRY(const bool implied, store_.any_below(bucket.id, marker.key));
  if (implied) {
    reply.kind = LookupReply::Kind::kDirectory;
    co_return reply;
  }
  ObjectName file{name, std::move(path)};
  auto info = co_await head(std::move(context), std::move(file), none);
  if (info) {
    reply.kind = LookupReply::Kind::kFile;
    reply.info = *std::move(info);
  } else if (info.error() != Errc::not_found) {
    co_return std::move(info).error();
  }
  co_return reply;
}

/// Everywhere, or, for a name that was found free a moment ago, here: who makes the same directory
/// now makes it here too.
Task<Result<LookupReply>> LocalTarget::whats_there(Context context,
                                                   BucketName name,
                                                   std::string path,
                                                   bool seen_free) {
  ObjectApi& where = seen_free ? static_cast<ObjectApi&>(*this) : peers_.cluster();
  return where.lookup(std::move(context), std::move(name), std::move(path));
}

Task<Result<ObjectInfo>> LocalTarget::make_dir(Context context,
                                               BucketName name,
                                               std::string path,
                                               MakeDirOptions options) {
  CO_TRY(const LookupReply there, co_await whats_there(context, name, path, options.seen_free));
  if (there.kind != LookupReply::Kind::kNone) {
    co_return Error(Errc::already_exists, "\"" + path + "\" exists");
  }
  CO_TRY(const Admitted at, admit(context, ObjectName{name, path + "/"}));
  if (!renames_->begin_dir(at.bucket.id, at.key.key())) {
    co_return Error(Errc::busy, "\"" + path + "\" is being removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(at.bucket.id, at.key.key()); });
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  PutOptions put{.level = name_level_of(at.bucket), .posix = std::move(options.posix)};
  put.conditions.must_not_exist = true;
  put.content_type = "application/x-directory";
  put.size = 0;
  ExpectedChecksums unknown;
  StringSource empty("");
  co_return co_await store_.put(at.key, std::move(put), std::move(unknown), empty);
}

Task<Status> LocalTarget::remove_dir(Context context, BucketName name, std::string path) {
  CO_TRY(const Admitted at, admit(context, ObjectName{name, path + "/"}));
  if (!renames_->begin_dir(at.bucket.id, at.key.key())) {
    co_return Error(Errc::busy, "\"" + path + "\" is being made, removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(at.bucket.id, at.key.key()); });
  CO_TRY(const LookupReply there, co_await peers_.cluster().lookup(context, name, path));
  if (there.kind == LookupReply::Kind::kNone) co_return Error(Errc::not_found, "\"" + path + "\"");
  if (there.kind == LookupReply::Kind::kFile) {
    co_return Error(Errc::not_directory, "\"" + path + "\"");
  }
  CO_TRY(const bool full, co_await has_entries(context, peers_.cluster(), name, at.key.key()));
  if (full) co_return Error(Errc::not_empty, "\"" + path + "\"");
  RemoveOptions options{.missing_ok = true};
  co_return co_await store_.remove(at.key, std::move(options), name_level_of(at.bucket));
}

Task<Status> LocalTarget::rename_dir(
    Context context, BucketName name, std::string from, std::string to, bool no_replace) {
  CO_TRY(const Admitted source, admit(context, ObjectName{name, from + "/"}));
  CO_TRY(const Admitted target, admit(context, ObjectName{name, to + "/"}));
  if (from == to) co_return Status{};
  if (target.key.key().starts_with(source.key.key())) {
    co_return Error(Errc::invalid_argument, "\"" + to + "\" lies below \"" + from + "\"");
  }
  ObjectApi& cluster = peers_.cluster();
  CO_TRY(const LookupReply old, co_await cluster.lookup(context, name, from));
  if (old.kind == LookupReply::Kind::kNone) co_return Error(Errc::not_found, "\"" + from + "\"");
  if (old.kind == LookupReply::Kind::kFile) {
    co_return Error(Errc::not_directory, "\"" + from + "\"");
  }
  CO_TRY(const LookupReply there, co_await cluster.lookup(context, name, to));
  if (there.kind == LookupReply::Kind::kFile) {
    co_return Error(no_replace ? Errc::already_exists : Errc::not_directory, "\"" + to + "\"");
  }
  if (there.kind == LookupReply::Kind::kDirectory) {
    if (no_replace) co_return Error(Errc::already_exists, "\"" + to + "\"");
    CO_TRY(const bool full, co_await has_entries(context, cluster, name, target.key.key()));
    if (full) co_return Error(Errc::not_empty, "\"" + to + "\"");
  }
  if (!renames_->begin_dir(source.bucket.id, source.key.key())) {
    co_return Error(Errc::busy, "\"" + from + "\" is being removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(source.bucket.id, source.key.key()); });
  RenameLog::DirRename intent{.op_id = options_.node_id + "-" + to_hex(as_bytes(random_bytes(8))),
                              .bucket = source.bucket.id,
                              .from = source.key.key(),
                              .to = target.key.key()};
  const std::string op_id = intent.op_id;
  auto write = [this, intent] { return renames_->write(intent); };
  CO_CHECK_OK(co_await io_.run(std::move(write)));
  co_return co_await finish_dir_rename(std::move(context), op_id);
}

/// Renames what is below `from`, until nothing is. Each name moves on its own; what has moved
/// already is not found again, so it can be done again after any failure.
Task<Status> LocalTarget::finish_dir_rename(Context context, std::string op_id) {
  const auto all = renames_->dir_renames();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& r) { return r.op_id == op_id; });
  if (found == all.end()) co_return Status{};
  RenameLog::DirRename rename = *found;
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(rename.bucket);
  ObjectApi& cluster = peers_.cluster();
  for (bool more = bucket != nullptr; more;) {  // a destroyed bucket has nothing to rename
    ListOptions options{.prefix = rename.from, .limit = kRenamePage};
    CO_TRY(const ListPage page, co_await cluster.list(context, bucket->name, std::move(options)));
    for (std::size_t i = 0; i < page.entries.size(); i += kRenamesAtOnce) {
      std::vector<Task<Status>> moves;
      for (std::size_t j = i; j < std::min(i + kRenamesAtOnce, page.entries.size()); ++j) {
        const std::string& key = page.entries[j].key;
        ObjectName source{bucket->name, key};
        ObjectName target{bucket->name, rename.to + key.substr(rename.from.size())};
        moves.push_back(move_name(context, cluster, std::move(source), std::move(target)));
      }
      std::vector<Status> moved = co_await gather(std::move(moves));
      for (Status& one : moved) CO_CHECK_OK(std::move(one));
    }
    more = !page.entries.empty();
  }
  rename.state = RenameLog::DirRename::State::kDone;
  auto write = [this, rename] { return renames_->write(rename); };
  co_return co_await io_.run(std::move(write));
}

}  // namespace aisfs::target
