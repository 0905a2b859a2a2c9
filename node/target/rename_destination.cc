// SPDX-License-Identifier: MIT
// Rename of one name, at the destination's owner (rename.cc has the source's).
#include "common/base/hash.h"
#include "common/model/version_key.h"
#include "node/store/conditions.h"
#include "node/target/local_target.h"
#include "node/target/mirrored.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

using PreparedState = PreparedRecord::State;

/// Whether the name has what was prepared: as a reference, or with bytes of its own. Then the inode
/// tells, with the version: what the same object was called before may be there as well.
Task<Result<bool>> was_placed(store::Store& store,
                              const store::Key& key,
                              const RenameLog::Prepared& prepared,
                              const std::optional<store::Reference>& there) {
  if (there && *there == prepared.rename.content) co_return true;
  if (!prepared.version) co_return false;
  const auto info = co_await store.head(key);
  if (!info && info.error() != Errc::not_found) co_return info.error();
  co_return info && info->ino == prepared.rename.info.ino && info->meta_version >= prepared.version;
}

}  // namespace

Task<Result<Version>> LocalTarget::prepare_rename(Context context, RenamePrepare rename) {
  ObjectName to{rename.bucket, rename.destination};
  CO_TRY(const Admitted at, admit(context, std::move(to)));
  if (const auto prepared = renames_->prepared(rename.op_id)) co_return prepared->version;
  CO_CHECK_OK(co_await bring_home(context, at.key, Handover::Need::kChange));
  CO_CHECK_OK(co_await end_committed(context, at.key));
  constexpr bool kHasParent = true;  // else the source's owner has asked for implied directories
  CO_TRY(const Parent parent, co_await check_parent(context, at, kHasParent));
  CO_TRY(const auto making, make_in(at, parent));
  CO_CHECK_OK(co_await make_keepable(context, at.key));
  if (!renames_->reserve(at.bucket.id, rename.destination, rename.op_id)) {
    co_return Error(Errc::busy, at.key.display() + ": another rename to it is under way");
  }
  if (renames_->committed_from(at.bucket.id, rename.destination)) {  // since end_committed
    renames_->release(at.bucket.id, rename.destination, rename.op_id);
    co_return Error(Errc::busy, at.key.display() + ": a rename of it is under way");
  }
  lease(context, *at.map, at.bucket.id, path_of(rename.destination));
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  Conditions conditions = rename.destination_conditions;
  conditions.must_not_exist = conditions.must_not_exist || rename.no_replace;
  const auto there = co_await store_.head(at.key);
  if (!there && there.error() != Errc::not_found) {
    renames_->release(at.bucket.id, rename.destination, rename.op_id);
    co_return there.error();
  }
  Status fits =
      store::check_conditions(conditions, there ? &*there : nullptr, store::Access::kWrite);
  if (fits) fits = check_keepable(at.key);
  Version version;
  if (fits) {
    auto write = [this, &rename, &version]() -> Status {
      TRY(version, store_.next_version());
      return renames_->write(RenameLog::Prepared{rename, PreparedState::kPrepared, version});
    };
    fits = co_await io_.run(std::move(write));
  }
  // Until it is finished no mount is told anything of the name that it might believe (lookup).
  if (fits) fits = co_await change.told();
  if (!fits) {
    renames_->release(at.bucket.id, rename.destination, rename.op_id);
    CO_CHECK_OK(co_await change.refused(fits.error()));
    co_return std::move(fits).error();
  }
  co_return version;
}

Task<Result<ObjectInfo>> LocalTarget::finish_rename(Context context,
                                                    std::string op_id,
                                                    RenameState state) {
  // The source's owner, and whoever looks at the name and asks: one after the other.
  const auto guard = co_await finishing_.lock(xxh3_64(as_bytes(op_id)));
  auto found = renames_->prepared(op_id);
  if (!found) co_return Error(Errc::not_found, "no rename " + op_id + " is prepared");
  RenameLog::Prepared prepared = *std::move(found);
  ObjectName to{prepared.rename.bucket, prepared.rename.destination};
  store::Key key = store::make_key(prepared.rename.bucket_id, std::move(to));
  if (prepared.state == PreparedState::kPublished) co_return co_await store_.head(key);
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  // A name that only moves keeps its version.
  if (bucket != nullptr && !prepared.rename.no_replace && !is_version_key(key.key())) {
    key.versioning = bucket->props.versioning;
  }
  CO_TRY(const auto there, reference_of(key));
  // A crash came between publishing and writing so; or its owner has forgotten it since.
  CO_TRY(const bool published, co_await was_placed(store_, key, prepared, there));
  ObjectInfo info = prepared.rename.info;
  if (published) {
    // A kill before its barrier had passed leaves it to the next power loss, and has copied
    // nothing.
    CO_CHECK_OK(co_await store_.sync(key));
    auto change = changing(context, key);
    CO_CHECK_OK(change.begin(prepared.version));
    CO_CHECK_OK(co_await told_or_handed_over(change, key));
  } else if (state == RenameState::kCommitted) {
    CO_TRY(info, co_await publish_prepared(std::move(context), key, prepared.rename,
                                           prepared.version, there));
  }
  prepared.state = published || state == RenameState::kCommitted ? PreparedState::kPublished
                                                                 : PreparedState::kDone;
  auto write = [this, &prepared] { return renames_->write(prepared); };
  CO_CHECK_OK(co_await io_.run(std::move(write)));
  co_return info;
}

Task<Result<ObjectInfo>> LocalTarget::publish_prepared(Context context,
                                                       const store::Key& key,
                                                       const RenamePrepare& rename,
                                                       Version version,
                                                       std::optional<store::Reference> replaced) {
  const store::Reference& content = rename.content;
  ObjectInfo info = rename.info;
  info.meta_version = version;
  if (!version) {
    CO_TRY(info.meta_version, store_.next_version());
  }
  auto change = changing(context, key);
  CO_CHECK_OK(change.begin(info.meta_version));
  // The new name is durable before anybody may forget the old one, at whatever level the rename was
  // asked for: power loss in between must not take both.
  auto put = co_await place_renamed(context, key, content, info);
  // Made here since it was prepared: a change that was let in before that, and comes first.
  while (!put && put.error() == Errc::precondition_failed && changed_since(key, version)) {
    CO_TRY(info.meta_version, store_.next_version());
    put = co_await place_renamed(context, key, content, info);
  }
  // Of what came after the rename, while this target was away, nothing is lost.
  const bool superseded = !put && put.error() == Errc::precondition_failed;
  if (!put && !superseded) co_return put;
  CO_CHECK_OK(co_await told_or_handed_over(change, key));
  CO_TRY(const auto now, reference_of(key));
  if (!now || *now != content) CO_CHECK_OK(co_await drop_referenced(context, key, content));
  if (replaced && !superseded) {
    CO_CHECK_OK(co_await drop_referenced(std::move(context), key, *std::move(replaced)));
  }
  co_return superseded ? std::move(info) : *std::move(put);
}

/// As a reference; in a mirrored bucket with its bytes, since the source's owner may hold the other
/// copies of the name too, and what was kept by several must not hang on one. precondition_failed
/// when there is something as new.
Task<Result<ObjectInfo>> LocalTarget::place_renamed(Context context,
                                                    const store::Key& key,
                                                    const store::Reference& content,
                                                    ObjectInfo info) {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  if (!is_mirrored(store_, bucket) || content.is_empty() || key.versioning != Versioning::kOff) {
    co_return co_await store_.put_reference(key, content, std::move(info), {}, Durability::kFull);
  }
  info.content_version = info.meta_version;
  CO_TRY(const Version now, version_of(key));
  bool taken = false;
  if (now < info.meta_version) {
    const ByteRange all{.offset = 0, .length = info.size};
    CO_TRY(ObjectStream stream,
           co_await open_content_anywhere(std::move(context), key, content, all));
    store::StoredMeta meta{
        .bucket = key.bucket, .key = key.key(), .info = info, .level = Durability::kFull};
    CO_TRY(taken, co_await store_.adopt(key, std::move(meta), *stream.body));
  }
  if (!taken)
    co_return Error(Errc::precondition_failed, key.display() + ": there is something newer");
  co_return info;
}

/// Whether this start of this node has changed the name after it has given that version.
bool LocalTarget::changed_since(const store::Key& key, Version version) const {
  const auto now = version_of(key);
  const std::uint32_t self = store_.last_version().incarnation;
  return now && version.incarnation == self && now->incarnation == self && *now > version;
}

}  // namespace aisfs::target
