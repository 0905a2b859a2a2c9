// SPDX-License-Identifier: MIT
#include "tests/kit/fake_store.h"

#include <algorithm>
#include <chrono>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/model/version_key.h"

namespace aisfs::tests {
namespace {

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string md5(std::string_view text) {
  Digest digest(Digest::Kind::kMd5);
  digest.update(as_bytes(text));
  const std::string raw = digest.finish();
  return to_hex(as_bytes(raw));
}

Error failed(std::string_view what) {
  return Error(Errc::precondition_failed, std::string(what) + " does not hold");
}

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

Status apply_xattr_guards(const AttrChange& change, const ObjectInfo& info) {
  if (change.xattr_must_not_exist && info.xattrs.contains(*change.xattr_must_not_exist)) {
    return Error(Errc::already_exists, "attribute " + *change.xattr_must_not_exist + " exists");
  }
  if (change.xattr_must_exist && !info.xattrs.contains(*change.xattr_must_exist)) {
    return Error(Errc::no_attribute, "no attribute " + *change.xattr_must_exist);
  }
  return {};
}

void patch_map(std::map<std::string, std::string>& map,
               const std::map<std::string, std::optional<std::string>>& change) {
  for (const auto& [key, value] : change) {
    if (value) {
      map[key] = *value;
    } else {
      map.erase(key);
    }
  }
}

void apply_posix(const AttrChange& change, ObjectInfo& info) {
  if (change.posix) info.posix = change.posix;
  const bool single = change.mode || change.uid || change.gid || change.atime_ns || change.mtime_ns;
  if (single && !info.posix) {
    info.posix = PosixAttrs{.mode = 0100644,
                            .atime_ns = info.modified_ns,
                            .mtime_ns = info.modified_ns,
                            .ctime_ns = info.modified_ns};
  }
  if (!info.posix) return;
  if (change.mode) info.posix->mode = *change.mode;
  if (change.uid) info.posix->uid = *change.uid;
  if (change.gid) info.posix->gid = *change.gid;
  if (change.atime_ns) info.posix->atime_ns = *change.atime_ns;
  if (change.mtime_ns) info.posix->mtime_ns = *change.mtime_ns;
  if (!change.posix) info.posix->ctime_ns = wall_ns();
}

}  // namespace

Status check_conditions(const Conditions& c, const ObjectInfo* info, bool reading) {
  if (c.must_not_exist && info != nullptr) return Error(Errc::already_exists, "object exists");
  if (info == nullptr) {
    const bool needs_object = c.must_exist || c.if_content_version || c.if_meta_version ||
                              !c.if_match.empty() || c.if_ino || c.if_size;
    return needs_object ? Status(failed("condition on an object that is not there")) : Status();
  }
  if (c.if_content_version && *c.if_content_version != info->content_version) {
    return failed("content version");
  }
  if (c.if_meta_version && *c.if_meta_version != info->meta_version) return failed("meta version");
  if (!c.if_match.empty() && !contains(c.if_match, info->etag)) return failed("If-Match");
  if (contains(c.if_none_match, info->etag)) {
    return reading ? Error(Errc::not_modified, "same etag") : failed("If-None-Match");
  }
  if (c.if_modified_since_ns && info->modified_ns <= *c.if_modified_since_ns && reading &&
      c.if_none_match.empty()) {
    return Error(Errc::not_modified, "not modified since");
  }
  if (c.if_unmodified_since_ns && info->modified_ns > *c.if_unmodified_since_ns &&
      c.if_match.empty()) {
    return failed("If-Unmodified-Since");
  }
  if (c.if_ino && *c.if_ino != info->ino) return failed("inode id");
  if (c.if_size && *c.if_size != info->size) return failed("size");
  return {};
}

FakeStore::FakeStore() {
  map_ = std::make_shared<ClusterMap>(ClusterMap{.uuid = "fake", .epoch = 1});
}

// --- buckets -------------------------------------------------------------------------------------

MapSnapshot FakeStore::map() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

void FakeStore::install(ClusterMap next) {
  ++next.epoch;
  map_ = std::make_shared<const ClusterMap>(std::move(next));
}

void FakeStore::edit_map(const std::function<void(ClusterMap&)>& edit) {
  const std::lock_guard lock(mutex_);
  ClusterMap next = *map_;
  edit(next);
  install(std::move(next));
}

Status FakeStore::try_edit_map(const std::function<Status(ClusterMap&)>& edit) {
  const std::lock_guard lock(mutex_);
  ClusterMap next = *map_;
  CHECK_OK(edit(next));
  install(std::move(next));
  return {};
}

Result<Bucket> FakeStore::create_bucket(const BucketName& name,
                                        const BucketProps& props,
                                        std::string owner) {
  CHECK_OK(validate_bucket_name(name.name));
  const std::lock_guard lock(mutex_);
  if (map_->find_bucket(name) != nullptr) {
    return Error(Errc::already_exists, "bucket \"" + name.display() + "\" already exists");
  }
  Bucket bucket{.id = {++last_id_},
                .name = name,
                .owner = std::move(owner),
                .created_ns = wall_ns(),
                .props = props,
                .implied_dirs = true};
  ClusterMap next = *map_;
  next.buckets[name.uname()] = bucket;
  install(std::move(next));
  objects_[bucket.id];
  return bucket;
}

Status FakeStore::destroy_bucket(const BucketName& name, bool force) {
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(name));
  if (!force && !objects->empty()) {
    return Error(Errc::not_empty, "bucket \"" + name.display() + "\" is not empty");
  }
  objects_.erase(map_->find_bucket(name)->id);
  ClusterMap next = *map_;
  next.buckets.erase(name.uname());
  install(std::move(next));
  return {};
}

Result<Bucket> FakeStore::set_bucket_props(const BucketName& name, const BucketProps& props) {
  const std::lock_guard lock(mutex_);
  CHECK_OK(objects_of(name));
  ClusterMap next = *map_;
  Bucket& bucket = next.buckets[name.uname()];
  bucket.props = props;
  Bucket out = bucket;
  install(std::move(next));
  return out;
}

Result<FakeStore::Objects*> FakeStore::objects_of(const BucketName& bucket) {
  const Bucket* found = map_->find_bucket(bucket);
  if (found == nullptr) {
    return Error(Errc::not_found, "bucket \"" + bucket.display() + "\" does not exist");
  }
  return &objects_[found->id];
}

Result<const FakeStore::Objects*> FakeStore::objects_of(const BucketName& bucket) const {
  TRY(Objects* const objects, const_cast<FakeStore*>(this)->objects_of(bucket));
  return objects;
}

// --- objects -------------------------------------------------------------------------------------

Version FakeStore::next_version() {
  const auto now = static_cast<std::uint64_t>(wall_ns() / 1'000'000) << 20;
  last_hlc_ = std::max(last_hlc_ + 1, now);
  return {.epoch = map_->epoch, .hlc = last_hlc_, .incarnation = 1};
}

void FakeStore::supersede(const Objects& objects, const std::string& key) {
  const auto it = objects.find(key);
  if (it != objects.end()) superseded_[it->second.info.content_version] = it->second;
}

ObjectInfo FakeStore::publish(Objects& objects,
                              const std::string& key,
                              ObjectInfo info,
                              std::string body) {
  supersede(objects, key);
  info.content_version = info.meta_version = next_version();
  info.size = body.size();
  info.modified_ns = wall_ns();
  if (info.etag.empty()) info.etag = md5(body);
  objects[key] = Content{info, std::make_shared<const std::string>(std::move(body))};
  return info;
}

Result<ObjectInfo> FakeStore::head(const ObjectName& name, const Conditions& conditions) const {
  const std::lock_guard lock(mutex_);
  TRY(const Objects* const objects, objects_of(name.bucket));
  const auto it = objects->find(place_of(*objects, name.key));
  if (it == objects->end()) return Error(Errc::not_found, name.display() + " does not exist");
  CHECK_OK(check_conditions(conditions, &it->second.info, true));
  return it->second.info;
}

Result<FakeStore::Content> FakeStore::get(const ObjectName& name, const GetOptions& options) const {
  const std::lock_guard lock(mutex_);
  TRY(const Objects* const objects, objects_of(name.bucket));
  const auto it = objects->find(place_of(*objects, name.key));
  const bool current = it != objects->end() &&
                       (!options.version || *options.version == it->second.info.content_version);
  if (!current && options.version) {
    const auto old = superseded_.find(*options.version);
    if (old == superseded_.end()) return failed("pinned version");
    return old->second;
  }
  if (!current) return Error(Errc::not_found, name.display() + " does not exist");
  CHECK_OK(check_conditions(options.conditions, &it->second.info, true));
  return it->second;
}

Result<ObjectInfo> FakeStore::put(const ObjectName& name,
                                  const PutOptions& options,
                                  std::string body) {
  CHECK_OK(validate_key(name.key));
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(name.bucket));
  const auto it = objects->find(name.key);
  const ObjectInfo* old = it == objects->end() ? nullptr : &it->second.info;
  CHECK_OK(check_conditions(options.conditions, old, false));
  if (options.size && *options.size != body.size()) {
    return Error(Errc::invalid_argument, "the body has another size than promised");
  }
  if (options.before_publish) CHECK_OK(options.before_publish());
  ObjectInfo info{.etag = options.etag,
                  .content_type = options.content_type,
                  .headers = options.headers,
                  .user = options.user,
                  .xattrs = options.xattrs,
                  .posix = options.posix,
                  .checksums = options.checksums};
  if (old != nullptr && options.keep_attrs) {
    info.user = old->user;
    info.xattrs = old->xattrs;
    info.headers = old->headers;
    info.content_type = old->content_type;
    if (old->posix) {
      info.posix = old->posix;
      info.posix->ctime_ns = options.posix ? options.posix->ctime_ns : wall_ns();
      info.posix->mtime_ns = options.posix ? options.posix->mtime_ns : wall_ns();
    }
  }
  info.ino = old != nullptr ? old->ino : options.ino ? *options.ino : ++last_ino_;
  const Versioning mode = versioning_of(name.bucket);
  if (info.headers.contains(std::string(kDeleteMarkerHeader)))
    return mark(*objects, name.key, mode);
  keep(*objects, name.key, mode);
  info.headers.erase(std::string(kVersionIdHeader));
  info = publish(*objects, name.key, std::move(info), std::move(body));
  if (mode != Versioning::kEnabled) return info;
  info.headers[std::string(kVersionIdHeader)] = new_version_id(info.content_version);
  (*objects)[name.key].info = info;
  return info;
}

Result<ObjectInfo> FakeStore::set_attrs(const ObjectName& name,
                                        const AttrChange& change,
                                        const Conditions& conditions) {
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(name.bucket));
  const auto it = objects->find(place_of(*objects, name.key));
  if (it == objects->end()) return Error(Errc::not_found, name.display() + " does not exist");
  ObjectInfo& info = it->second.info;
  CHECK_OK(check_conditions(conditions, &info, false));
  CHECK_OK(apply_xattr_guards(change, info));
  apply_posix(change, info);
  patch_map(info.xattrs, change.xattrs);
  if (change.user) info.user = *change.user;
  patch_map(info.user, change.user_patch);
  if (change.content_type) info.content_type = *change.content_type;
  if (change.headers) info.headers = *change.headers;
  info.meta_version = next_version();
  return info;
}

Status FakeStore::remove(const ObjectName& name, const RemoveOptions& options) {
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(name.bucket));
  const Versioning mode = versioning_of(name.bucket);
  if (mode != Versioning::kOff && !is_version_key(name.key)) {
    mark(*objects, name.key, mode);
    return {};
  }
  const auto it = objects->find(place_of(*objects, name.key));
  if (it == objects->end()) {
    if (options.missing_ok) return {};
    return Error(Errc::not_found, name.display() + " does not exist");
  }
  CHECK_OK(check_conditions(options.conditions, &it->second.info, false));
  supersede(*objects, it->first);
  remove_version(*objects, std::string(it->first));
  return {};
}

Result<ObjectInfo> FakeStore::rename(const ObjectName& from,
                                     const ObjectName& to,
                                     const RenameOptions& options) {
  CHECK_OK(validate_key(to.key));
  if (from.bucket != to.bucket) return Error(Errc::cross_device, "rename to another bucket");
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(from.bucket));
  const auto source = objects->find(from.key);
  if (source == objects->end()) return Error(Errc::not_found, from.display() + " does not exist");
  CHECK_OK(check_conditions(options.source_conditions, &source->second.info, false));
  const auto target = objects->find(to.key);
  const ObjectInfo* old = target == objects->end() ? nullptr : &target->second.info;
  if (options.no_replace && old != nullptr) {
    return Error(Errc::already_exists, to.display() + " exists");
  }
  CHECK_OK(check_conditions(options.destination_conditions, old, false));
  if (from.key == to.key) return source->second.info;
  supersede(*objects, to.key);
  Content moved = std::move(source->second);
  objects->erase(source);
  superseded_[moved.info.content_version] = moved;  // readers pinned under the old name
  moved.info.meta_version = next_version();
  if (options.posix) moved.info.posix = options.posix;
  if (moved.info.posix) moved.info.posix->ctime_ns = wall_ns();
  ObjectInfo info = moved.info;
  (*objects)[to.key] = std::move(moved);
  return info;
}

Result<ObjectInfo> FakeStore::copy(const ObjectName& from,
                                   const ObjectName& to,
                                   const CopyOptions& options) {
  GetOptions whole{.conditions = options.source_conditions};
  TRY(const Content source, get(from, whole));
  PutOptions put_options = options.put;
  if (!options.replace_metadata) {
    put_options.content_type = source.info.content_type;
    put_options.headers = source.info.headers;
    put_options.user = source.info.user;
    put_options.xattrs = source.info.xattrs;
    put_options.posix = source.info.posix;
  }
  put_options.etag = source.info.etag;
  put_options.conditions = options.destination_conditions;
  return put(to, put_options, *source.data);
}

Result<ObjectInfo> FakeStore::patch(const ObjectName& name,
                                    const PatchOptions& options,
                                    std::string body) {
  const std::lock_guard lock(mutex_);
  TRY(Objects* const objects, objects_of(name.bucket));
  const auto it = objects->find(name.key);
  if (it == objects->end()) return Error(Errc::not_found, name.display() + " does not exist");
  CHECK_OK(check_conditions(options.conditions, &it->second.info, false));
  std::string data = *it->second.data;
  if (options.truncate_to) data.resize(*options.truncate_to);
  std::size_t at = 0;
  for (ByteRange extent : options.extents) {
    if (options.append) extent.offset = data.size();
    if (extent.length > body.size() - at) {
      return Error(Errc::invalid_argument, "the body is shorter than the extents");
    }
    data.resize(std::max<std::size_t>(data.size(), extent.offset + extent.length));
    data.replace(extent.offset, extent.length, body, at, extent.length);
    at += extent.length;
  }
  if (at != body.size()) return Error(Errc::invalid_argument, "the body is longer than the extents");
  ObjectInfo info = it->second.info;
  info.etag.clear();
  info.checksums.clear();
  info.part_sizes.clear();
  if (info.posix) {
    info.posix->mtime_ns = options.mtime_ns.value_or(wall_ns());
    info.posix->ctime_ns = options.ctime_ns.value_or(wall_ns());
  }
  return publish(*objects, name.key, std::move(info), std::move(data));
}

Result<ListPage> FakeStore::list(const BucketName& bucket, const ListOptions& options) const {
  if (options.limit == 0 || options.limit > 10'000) {
    return Error(Errc::invalid_argument, "limit is 1 to 10000");
  }
  const std::lock_guard lock(mutex_);
  TRY(const Objects* const objects, objects_of(bucket));
  ListPage page;
  auto it = options.after >= options.prefix && !options.after.empty()
                ? objects->upper_bound(options.after)
                : objects->lower_bound(options.prefix);
  while (it != objects->end() && it->first.starts_with(options.prefix)) {
    const std::string& key = it->first;
    if (!options.versions && is_version_key(key)) {
      ++it;
      continue;
    }
    const std::size_t cut = options.delimiter.empty()
                                ? key.npos
                                : plain_key(key).find(options.delimiter, options.prefix.size());
    ListEntry entry{.key = key, .is_prefix = cut != key.npos};
    if (entry.is_prefix) entry.key = key.substr(0, cut + options.delimiter.size());
    const bool listed_before = entry.is_prefix && entry.key == options.after;
    if (!listed_before && page.entries.size() == options.limit) {
      page.more = true;
      page.next = page.entries.back().key;
      break;
    }
    if (!entry.is_prefix) {
      entry.info = it->second.info;
      if (!options.attributes) {
        entry.info.posix.reset();
        entry.info.user.clear();
        entry.info.xattrs.clear();
      }
      ++it;
    } else {
      while (it != objects->end() && it->first.starts_with(entry.key)) ++it;
    }
    if (!listed_before) page.entries.push_back(std::move(entry));
  }
  return page;
}

Capacity FakeStore::capacity() const {
  const std::lock_guard lock(mutex_);
  Capacity capacity{.total_bytes = 1_GiB * 1024};
  for (const auto& [id, objects] : objects_) {
    capacity.objects += objects.size();
    for (const auto& [key, content] : objects) capacity.used_bytes += content.info.size;
  }
  capacity.available_bytes = capacity.total_bytes - capacity.used_bytes;
  return capacity;
}

// --- for tests -----------------------------------------------------------------------------------

void FakeStore::drop_superseded() {
  const std::lock_guard lock(mutex_);
  superseded_.clear();
}

bool FakeStore::contents(const ObjectName& name, std::string& out) const {
  const auto content = get(name, {});
  if (!content) return false;
  out = *content->data;
  return true;
}

}  // namespace aisfs::tests
