// SPDX-License-Identifier: MIT
// Names as a file system sees them. A directory's home is the owner of its marker "path/".
#include <algorithm>

#include "common/async/gather.h"
#include "common/base/defer.h"
#include "common/client/merge.h"
#include "common/client/placed_objects.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"
#include "node/target/levels.h"
#include "node/target/local_target.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

constexpr std::uint32_t kRenamePage = 1000;
// They share their barriers: many at once take hardly longer than one.
constexpr std::size_t kRenamesAtOnce = 64;
// Names are made within milliseconds of their last check.
constexpr auto kCloseMax = std::chrono::seconds(10);

/// The place of the marker of the directory that a name lies in; "" for one of the bucket's own.
std::string_view parent_marker(std::string_view key) {
  if (key.ends_with('/')) key.remove_suffix(1);
  const auto slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : key.substr(0, slash + 1);
}

/// The path of a directory whose marker has, or would get, this place.
std::string path_of_marker(const ClusterMap& map, BucketId bucket, const std::string& place) {
  std::string name = place;
  if (const PrefixMapping* of = placement::mapping_at(map, bucket, place)) {
    name = of->logical + place.substr(of->physical.size());
  }
  name.pop_back();
  return name;
}

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

/// Moves the object of a name to the name's home, if it lies elsewhere.
Task<Status> move_home(Context context, ObjectApi& cluster, ObjectName name) {
  RenameOptions options{.has_parent = true};
  ObjectName same = name;
  auto moved = co_await cluster.rename(std::move(context), std::move(name), std::move(same),
                                       std::move(options));
  if (!moved && moved.error() != Errc::not_found) co_return std::move(moved).error();
  co_return Status{};
}

Task<Status> all_of(std::vector<Task<Status>> tasks) {
  std::vector<Status> results = co_await gather(std::move(tasks));
  for (Status& one : results) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

}  // namespace

// --- the directory that a name is made in ------------------------------------------------------

Task<Status> LocalTarget::imply_dirs(Context& context, const Admitted& at) {
  if (at.bucket.implied_dirs) co_return Status{};
  CO_CHECK_OK(co_await peers_.allow_implied_dirs(context, at.bucket.id));
  CO_CHECK_OK(check_placed(at));
  context.epoch = maps_.current()->epoch;
  co_return Status{};
}

/// Nobody else takes away what is delegated to the requester: close_dir recalls it.
bool LocalTarget::is_kept(const Context& context, const Admitted& at, std::string_view marker) {
  if (placement::has_mappings(*at.map, at.bucket.id)) return false;  // markers lie elsewhere
  marker.remove_suffix(1);
  return leases_->has(context, at.bucket.id, marker);
}

Task<Result<LocalTarget::Parent>> LocalTarget::check_parent(Context& context,
                                                            const Admitted& at,
                                                            bool has_parent) {
  std::string marker(parent_marker(at.key.key()));
  if (marker.empty() || at.bucket.implied_dirs) co_return Parent{};
  if (!has_parent) {
    CO_CHECK_OK(co_await imply_dirs(context, at));
    co_return Parent{};
  }
  const ClosedDirs::View seen = closed_dirs_.view(at.bucket.id, marker);
  if (seen.may_have_gone && !is_kept(context, at, marker)) {
    CO_TRY(std::string home, owner_of({at.bucket.name, marker}));
    Context asks = context;
    asks.epoch = at.map->epoch;
    CO_CHECK_OK(
        co_await peers_.check_dir(std::move(asks), std::move(home), at.bucket.name, marker));
  }
  co_return Parent{std::move(marker), seen};
}

Result<ClosedDirs::Ticket> LocalTarget::make_in(const Admitted& at, const Parent& parent) {
  if (parent.marker.empty()) return ClosedDirs::Ticket{};
  auto ticket = closed_dirs_.begin(at.bucket.id, parent.marker, parent.seen);
  if (!ticket) return Error(Errc::stale_map, "\"" + parent.marker + "\" is being removed");
  return *std::move(ticket);
}

/// Who takes a directory to remove it closes it everywhere afterwards: what is answered here counts
/// until then.
Task<Status> LocalTarget::check_dir(Context context, BucketName name, std::string marker) {
  const MapSnapshot map = maps_.current();
  CO_TRY(const Bucket bucket, admit(context, name));
  std::string path = path_of_marker(*map, bucket.id, marker);
  if (renames_->dir_is_taken(bucket.id, marker)) {
    co_return Error(Errc::not_ready, "\"" + path + "\" is being made, removed or renamed");
  }
  context.epoch = 0;  // `path` is placed again
  CO_TRY(const LookupReply there, co_await peers_.cluster().lookup(std::move(context), name, path));
  if (there.kind == LookupReply::Kind::kDirectory) co_return Status{};
  co_return Error(Errc::not_found, "the directory \"" + path + "\" was removed");
}

/// What is prepared to come here by a rename is no listed name yet, so it is waited for as well.
Task<Status> LocalTarget::close_dir(Context context, BucketName name, std::string marker) {
  CO_TRY(const Bucket bucket, admit(context, name));
  // Whoever has it to himself makes names in it without a look (check_parent).
  const std::string path = path_of_marker(*maps_.current(), bucket.id, marker);
  CO_CHECK_OK(co_await leases_->recall(context, bucket.id, Leases::change_of(path)));
  const Deadline deadline = context.deadline.earlier(Deadline::after(kCloseMax));
  if (!co_await closed_dirs_.close(bucket.id, marker, deadline)) {
    co_return Error(Errc::busy, "names are being made in \"" + marker + "\"");
  }
  for (const std::string& key : renames_->destinations_below(bucket.id, marker)) {
    ObjectName destination{name, key};
    const store::Key at = store::make_key(bucket.id, std::move(destination));
    CO_CHECK_OK(co_await settle_for_write(context, at));
  }
  co_return Status{};
}

/// At every target at once, by the map that the caller goes on with.
Task<Status> LocalTarget::close_everywhere(Context context, const Admitted& at) {
  context.epoch = at.map->epoch;
  std::vector<Task<Status>> calls;
  for (const NodeInfo* target : at.map->active_targets()) {
    calls.push_back(peers_.close_dir(context, target->id, at.bucket.name, at.key.key()));
  }
  co_return co_await all_of(std::move(calls));
}

// --- names as a file system sees them ----------------------------------------------------------

/// What may lie here on a disk that is out of reach and nowhere else here, of a name of another
/// target, is a copy: its owner says what the name is.
bool LocalTarget::is_told_elsewhere(const Bucket& bucket, const ObjectName& name) const {
  if (bucket.props.copies == 1 || !store_.may_lack(store::make_key(bucket.id, name))) return false;
  const auto owner = owner_of(name);
  return owner && *owner != options_.node_id;
}

/// While a disk is out of reach others know what this target has lost sight of.
Task<Result<bool>> LocalTarget::any_below(Context context,
                                          const Bucket& bucket,
                                          std::string marker) {
  auto here = store_.any_below(bucket.id, marker);
  const bool others_know = bucket.props.copies > 1 && store_.lacks_anything();
  if (here || !others_know) co_return here;
  co_return co_await has_entries(std::move(context), peers_.cluster(), bucket.name,
                                 std::move(marker));
}

Task<Result<LookupReply>> LocalTarget::lookup(Context context, BucketName name, std::string path) {
  CO_TRY(const Bucket bucket, admit(context, name));
  lease(context, *maps_.current(), bucket.id, path);
  LookupReply reply;
  if (path.empty()) {
    reply.kind = LookupReply::Kind::kDirectory;
    co_return reply;
  }
  ObjectName marker{name, path + "/"};
  Conditions none;
  Result<ObjectInfo> dir = Error(Errc::not_found);
  if (!is_told_elsewhere(bucket, marker)) dir = co_await head(context, marker, none);
  if (dir) {
    reply.kind = LookupReply::Kind::kDirectory;
    reply.explicit_dir = true;
    reply.info = *std::move(dir);
    co_return reply;
  }
  if (dir.error() != Errc::not_found && dir.error() != Errc::name_too_long) {
    co_return std::move(dir).error();
  }
  if (bucket.implied_dirs) {
    CO_TRY(const bool implied, co_await any_below(context, bucket, marker.key));
    if (implied) {
      reply.kind = LookupReply::Kind::kDirectory;
      co_return reply;
    }
  }
  ObjectName file{name, path};
  Result<ObjectInfo> info = Error(Errc::not_found);
  if (!is_told_elsewhere(bucket, file)) info = co_await head(context, std::move(file), none);
  if (context.session != 0 && renames_->prepared_to(bucket.id, path)) {
    co_return Error(Errc::not_ready, "a rename to \"" + path + "\" is under way");
  }
  if (info) {
    reply.kind = LookupReply::Kind::kFile;
    reply.info = *std::move(info);
  } else if (info.error() != Errc::not_found) {
    co_return std::move(info).error();
  }
  co_return reply;
}

/// Here, where whoever makes the same name now makes it too, if only a marker makes a directory or
/// the name was found free a moment ago; else everywhere.
Task<Result<LookupReply>> LocalTarget::whats_there(Context context,
                                                   BucketName name,
                                                   std::string path,
                                                   bool seen_free) {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(name);
  const bool here = bucket != nullptr && (seen_free || !bucket->implied_dirs) &&
                    placement::is_plain(*map, bucket->id, path + "/");
  ObjectApi& where = here ? static_cast<ObjectApi&>(*this) : peers_.cluster();
  return where.lookup(std::move(context), std::move(name), std::move(path));
}

Task<Result<ObjectInfo>> LocalTarget::make_dir(Context context,
                                               BucketName name,
                                               std::string path,
                                               MakeDirOptions options) {
  ObjectName marker = placement::home_of(*maps_.current(), directory_name(name, path));
  CO_TRY(const Admitted seen, admit(context, marker));
  CO_TRY(const Parent parent, co_await check_parent(context, seen, true));
  CO_TRY(const LookupReply there, co_await whats_there(context, name, path, options.seen_free));
  if (there.kind != LookupReply::Kind::kNone) {
    co_return Error(Errc::already_exists, "\"" + path + "\" exists");
  }
  CO_TRY(Admitted at, admit_change(context, std::move(marker)));
  CO_CHECK_OK(check_placed(seen));
  if (!renames_->begin_dir(at.bucket.id, at.key.key())) {
    co_return Error(Errc::busy, "\"" + path + "\" is being removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(at.bucket.id, at.key.key()); });
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  PutOptions put{.level = name_level_of(at.bucket), .posix = std::move(options.posix)};
  put.conditions.must_not_exist = true;
  put.content_type = "application/x-directory";
  put.ino = options.ino;
  put.size = 0;
  ExpectedChecksums unknown;
  StringSource empty("");
  CO_TRY(const auto making, make_in(at, parent));
  lease(context, *at.map, at.bucket.id, path);
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(change.begin());
  auto made = co_await store_.put(at.key, std::move(put), std::move(unknown), empty);
  if (made) {
    CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent, std::move(at.ticket)));
  } else {
    CO_CHECK_OK(co_await change.refused(made.error()));
  }
  co_return acknowledged(at, std::move(made));
}

Task<Status> LocalTarget::remove_dir(Context context, BucketName name, std::string path) {
  ObjectName marker = directory_name(name, path);
  const std::string below = marker.key;
  marker = placement::home_of(*maps_.current(), std::move(marker));
  CO_TRY(const Admitted at, admit_change(context, std::move(marker)));
  if (!renames_->begin_dir(at.bucket.id, at.key.key())) {
    co_return Error(Errc::busy, "\"" + path + "\" is being made, removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(at.bucket.id, at.key.key()); });
  // What a mount has made in it and has not sent yet comes before it is closed.
  CO_CHECK_OK(co_await leases_->recall(context, at.bucket.id, Leases::tree(path)));
  CO_TRY(const LookupReply there, co_await peers_.cluster().lookup(context, name, path));
  if (there.kind == LookupReply::Kind::kNone) co_return Error(Errc::not_found, "\"" + path + "\"");
  if (there.kind == LookupReply::Kind::kFile) {
    co_return Error(Errc::not_directory, "\"" + path + "\"");
  }
  // What those have of the marker who held it before goes with it, or they would list it again.
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  if (!at.bucket.implied_dirs) CO_CHECK_OK(co_await close_everywhere(context, at));
  CO_TRY(const bool full, co_await has_entries(context, peers_.cluster(), name, below));
  if (full) co_return Error(Errc::not_empty, "\"" + path + "\"");
  RemoveOptions options{.missing_ok = true};
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(change.begin());
  auto removed = co_await store_.remove(at.key, std::move(options), name_level_of(at.bucket));
  if (removed) CO_CHECK_OK(co_await change.told());
  co_return acknowledged(at, std::move(removed));
}

/// That a directory may be renamed to this one: it is not there, or it is replaced and was empty.
Task<Status> LocalTarget::check_free(Context context,
                                     ObjectName marker,
                                     std::string path,
                                     bool no_replace) {
  ObjectApi& cluster = peers_.cluster();
  CO_TRY(const LookupReply there, co_await cluster.lookup(context, marker.bucket, path));
  if (there.kind == LookupReply::Kind::kNone) co_return Status{};
  if (no_replace) co_return Error(Errc::already_exists, "\"" + path + "\"");
  if (there.kind == LookupReply::Kind::kFile) {
    co_return Error(Errc::not_directory, "\"" + path + "\"");
  }
  auto removed =
      co_await cluster.remove_dir(std::move(context), std::move(marker.bucket), std::move(path));
  if (!removed && removed.error() != Errc::not_found) co_return removed;
  co_return Status{};
}

/// No ticket: the change of the map waits for all that have one.
Task<Status> LocalTarget::rename_dir(
    Context context, BucketName name, std::string from, std::string to, bool no_replace) {
  const ObjectName source = directory_name(name, from);
  const ObjectName target = directory_name(name, to);
  CO_CHECK_OK(validate_key(target.key));
  CO_TRY(const Admitted at, admit(context, placement::home_of(*maps_.current(), source)));
  CO_CHECK_OK(co_await leases_->recall(context, at.bucket.id, Leases::tree(from)));
  ObjectApi& cluster = peers_.cluster();
  CO_TRY(const LookupReply old, co_await cluster.lookup(context, name, from));
  if (old.kind == LookupReply::Kind::kNone) co_return Error(Errc::not_found, "\"" + from + "\"");
  if (old.kind == LookupReply::Kind::kFile) {
    co_return Error(Errc::not_directory, "\"" + from + "\"");
  }
  if (from == to) co_return Status{};
  if (target.key.starts_with(source.key)) {
    co_return Error(Errc::invalid_argument, "\"" + to + "\" lies below \"" + from + "\"");
  }
  if (!renames_->begin_dir(at.bucket.id, at.key.key())) {
    co_return Error(Errc::busy, "\"" + from + "\" is being removed or renamed");
  }
  const Defer end([&] { renames_->end_dir(at.bucket.id, at.key.key()); });
  CO_CHECK_OK(co_await check_free(context, target, std::move(to), no_replace));
  // What was found holds for the map of this epoch only.
  Context seen = context;
  seen.epoch = at.map->epoch;
  CO_CHECK_OK(co_await peers_.rename_prefix(std::move(seen), at.bucket.id, source.key, target.key));
  work_.notify();
  co_return Status{};
}

// --- the names of renamed directories go home --------------------------------------------------

std::vector<PrefixMapping> LocalTarget::own_mappings() const {
  std::vector<PrefixMapping> own;
  const MapSnapshot map = maps_.current();
  for (const PrefixMapping& mapping : map->mappings) {
    const Bucket* bucket = map->find_bucket(mapping.bucket);
    if (bucket == nullptr) continue;
    const ObjectName place{bucket->name, mapping.physical};
    const NodeInfo* owner = placement::owner_of(*map, place);
    if (owner != nullptr && owner->id == options_.node_id) own.push_back(mapping);
  }
  return own;
}

/// One name after the other, some at once; what has moved already is not found again, so it can be
/// done again after any failure.
Task<Status> LocalTarget::rewrite(Context context, PrefixMapping mapping) {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(mapping.bucket);
  if (bucket == nullptr) co_return Status{};
  if (mapping.logical == mapping.physical) {  // only the surroundings have to go
    co_return co_await peers_.end_mapping(std::move(context), std::move(mapping));
  }
  if (placement::places_of(*map, bucket->id, mapping.logical).home == mapping.physical) {
    co_return Status{};  // until its own place is free
  }
  ListOptions options{.prefix = mapping.physical, .limit = kRenamePage, .versions = true};
  for (bool more = true; more;) {
    CO_TRY(const ListPage page, co_await peers_.places().list(context, bucket->name, options));
    std::vector<Task<Status>> moves;
    more = page.more;
    if (more) options.after = page.next;
    for (const ListEntry& entry : page.entries) {
      const PrefixMapping* of = placement::mapping_at(*map, bucket->id, entry.key);
      if (of == nullptr || *of != mapping) {  // a part of it that is another directory by now
        if (of != nullptr) options.after = std::max(options.after, after_prefix(of->physical));
        continue;
      }
      ObjectName name{bucket->name, mapping.logical + entry.key.substr(mapping.physical.size())};
      moves.push_back(move_home(context, peers_.cluster(), std::move(name)));
      if (moves.size() == kRenamesAtOnce) CO_CHECK_OK(co_await all_of(std::exchange(moves, {})));
    }
    CO_CHECK_OK(co_await all_of(std::move(moves)));
  }
  co_return co_await peers_.end_mapping(std::move(context), std::move(mapping));
}

}  // namespace aisfs::target
