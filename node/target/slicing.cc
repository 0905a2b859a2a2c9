// SPDX-License-Identifier: MIT
// LocalTarget: names whose objects lie in slices (slicer.h), and slices of the names of others.
#include "node/store/attr_change.h"
#include "node/store/put.h"
#include "node/store/version_clock.h"
#include "node/target/local_target.h"
#include "node/target/sliced_body.h"

namespace aisfs::target {

Task<Result<ObjectStream>> LocalTarget::open_sliced(
    Context context, store::Key key, store::Reference content, ObjectInfo info, ByteRange range) {
  context.epoch = 0;  // slices are what they are, whatever changes while they are read
  auto body = std::make_unique<SlicedBody>(slicer_.access(), std::move(context), key,
                                           std::move(content), info.size, range);
  const Status opened = co_await body->open();
  if (!opened || body->is_degraded()) slicer_.soon(key);
  if (!opened) co_return opened.error();
  co_return ObjectStream{std::move(info), range, std::move(body)};
}

/// Versions are kept in one piece.
bool LocalTarget::splits_at_once(const Admitted& at, const PutOptions& options) const {
  const ErasureProps& erasure = at.bucket.props.erasure;
  return erasure.enabled() && !erasure.later && at.key.versioning == Versioning::kOff &&
         options.size && *options.size >= std::max<std::uint64_t>(erasure.least_bytes, 1) &&
         maps_.current()->active_targets().size() >= erasure.slices();
}

Task<Result<ObjectInfo>> LocalTarget::put_sliced(Context context,
                                                 const Admitted& at,
                                                 PutOptions options,
                                                 ExpectedChecksums expected,
                                                 BodySource& body) {
  // What is replaced may have been promised to survive power loss.
  CO_TRY(const auto there, store_.states_of(at.key));
  const bool replaces = !there.empty() && there.front().kind != store::NameState::Kind::kTombstone;
  const Durability level = replaces ? Durability::kFull : options.level;
  CO_TRY(Slicer::Plan plan, slicer_.plan(at.bucket, at.key, level, *options.size));
  // The hashes of its blocks come with the slices.
  const ExpectedChecksums all = store::all_checksums(std::move(expected), options);
  std::optional<store::BodyDigests> digests;
  if (options.want_md5 || all.md5 || !all.named.empty()) digests.emplace(options.want_md5, all);
  store::BodyDigests::Sums sums;
  std::function<void(ConstBytes)> update;
  if (digests) update = [&](ConstBytes bytes) { digests->update(bytes); };
  const auto describe = [&](const ec::EncodedObject& object) -> Result<std::string> {
    const std::uint64_t size = object.bytes;
    if (size != *options.size) {
      return Error(Errc::invalid_argument, "the body has " + std::to_string(size) + " bytes, " +
                                               std::to_string(*options.size) + " were promised");
    }
    if (digests) {
      TRY(sums, digests->finish());
    }
    sums.hashes = object.object;
    store::StoredMeta meta{.bucket = at.bucket.id,
                           .key = at.key.key(),
                           .info = store::info_of_put(options, nullptr),
                           .level = options.level};
    meta.info.size = size;
    store::add_sums(meta.info, sums);
    std::string packed = store::pack_meta(meta);
    if (packed.size() <= ec::kSliceMetaBytesMax) return packed;
    return Error(Errc::too_large, at.key.display() + ": its attributes are too long for slices");
  };
  const Splitting& splitting = plan.splitting;
  const auto missing = co_await split(slicer_.access(), context, splitting, body, update, describe);
  Status done;
  if (!missing) done = missing.error();
  bool everywhere = missing && missing->none();
  const auto alone = co_await slicer_.keep_whole(at.key);
  for (;;) {
    // Those who hold the slices by the map that it is published by have them.
    const bool placed = plan.since == maps_.current()->placement.since;
    if (done && !(everywhere && placed)) done = co_await slicer_.complete(context, plan);
    everywhere = done.ok();
    if (done && options.before_publish) done = options.before_publish();
    if (!done || plan.since == maps_.current()->placement.since) break;
  }
  Result<ObjectInfo> made(Errc::internal);
  if (done) {
    made =
        co_await store_.put_sliced(at.key, std::move(options), std::move(sums), splitting.content);
  } else {
    made = std::move(done).error();
  }
  const auto now = store_.resolve(at.key);
  const bool used = now && *now && **now == splitting.content;
  if (!used) slicer_.drop_later(at.key, splitting.content);  // if that is so by then
  co_return made;
}

Task<Result<store::KeyLocks::Guard>> LocalTarget::keep_whole(Context context,
                                                             const store::Key& key) {
  store::KeyLocks::Guard guard = co_await slicer_.keep_whole(key);
  for (;;) {
    CO_TRY(const auto reference, reference_of(key));
    if (!reference || !store::is_sliced(*reference)) co_return guard;
    if (context.deadline.expired()) co_return Error(Errc::timed_out, key.display());
    CO_CHECK_OK(co_await materialise(context, key));  // or somebody has written it meanwhile
  }
}

void LocalTarget::split_soon(const Admitted& at, const ObjectInfo& info) {
  const ErasureProps& erasure = at.bucket.props.erasure;
  if (erasure.enabled() && info.size >= erasure.least_bytes) slicer_.soon(at.key);
}

Task<Status> LocalTarget::settle_name(Context context, store::Key key) {
  return settle_for_read(std::move(context), key);
}

Task<Status> LocalTarget::seen(Context context, store::Key key) {
  return replicator_->seen(std::move(context), std::move(key));
}

Task<Result<ObjectStream>> LocalTarget::open_whole(store::Key key, GetOptions options) {
  return open_object(std::move(key), std::move(options), VerifyRead::kAlways);
}

Task<Status> LocalTarget::become_sliced(
    Context context, store::Key key, ObjectInfo seen, store::Reference content, Epoch since) {
  CO_TRY(Admitted at, admit_change(context, key.name));
  if (at.map->placement.since != since) {
    co_return Error(Errc::stale_map, key.display() + ": its slices were put by an older map");
  }
  at.key.versioning = Versioning::kOff;  // the same version, in another form
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  auto change = changing(context, at.key);
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(check_unreserved(at.key));
  CO_CHECK_OK(change.begin());
  Conditions same{.if_meta_version = seen.meta_version};
  CO_TRY(seen.meta_version, version_of_slices(seen.meta_version));
  auto done = co_await store_.put_reference(at.key, std::move(content), std::move(seen),
                                            std::move(same), Durability::kFull);
  if (!done) co_return std::move(done).error();
  co_return co_await change.told(Replicator::Kind::kOther, std::move(at.ticket));
}

/// Of a disk that is out of reach nobody knows whether it has been made before, of other slices.
Result<Version> LocalTarget::version_of_slices(Version whole) const {
  const std::uint32_t self = store_.last_version().incarnation;
  std::optional<Version> version = whole;
  for (std::uint64_t step = 0; version && step <= store_.losses(); ++step) {
    version = store::version_of_new_form(*version, self);
  }
  return version ? Result<Version>(*version) : store_.next_version();
}

Task<Status> LocalTarget::become_whole(Context context, store::Key key) {
  CO_TRY(const auto kept, co_await keep_whole(context, key));
  co_return co_await materialise(std::move(context), std::move(key));
}

// --- for owners ---------------------------------------------------------------------------------

Task<Status> LocalTarget::take_slice(Context context,
                                     BucketName name,
                                     store::Reference content,
                                     unsigned index,
                                     Durability level,
                                     BodySource& body) {
  CO_TRY(const Bucket bucket, admit(context, name));
  const auto geometry = store::geometry_of(content);
  if (!geometry || index >= geometry->slices()) {
    co_return Error(Errc::invalid_argument, "there is no such slice");
  }
  co_return co_await store_.put_slice(bucket.id, std::move(name), std::move(content), index, level,
                                      body);
}

Task<Result<std::vector<ec::SliceSet>>> LocalTarget::slices_here(
    Context context, BucketName name, std::vector<store::Reference> contents) {
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.slices_here(bucket.id, std::move(name), std::move(contents));
}

Task<Result<store::OpenSlice>> LocalTarget::open_slice(Context context,
                                                       BucketName name,
                                                       store::Reference content,
                                                       ec::SliceSet wanted,
                                                       ByteRange range) {
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.open_slice(bucket.id, std::move(name), std::move(content), wanted,
                                       range);
}

Task<Status> LocalTarget::drop_slices(Context context,
                                      BucketName name,
                                      store::Reference content,
                                      ec::SliceSet slices) {
  // The ticket first, as in forget_copies.
  const auto ticket = copying_.begin(maps_.current()->epoch);
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.drop_slices(bucket.id, std::move(name), std::move(content), slices);
}

Task<Result<std::vector<SliceVerdict>>> LocalTarget::judge_slices(
    Context context, BucketName name, std::string from, std::vector<store::HeldSlice> slices) {
  CO_TRY(const Bucket bucket, admit(context, name));
  const MapSnapshot map = maps_.current();
  co_return co_await slicer_.judge(std::move(context), map, bucket, std::move(from),
                                   std::move(slices));
}

Task<Status> LocalTarget::miss_slices(Context context,
                                      BucketName name,
                                      std::vector<std::string> keys) {
  if (keys.empty()) {
    slicer_.look_again();
    restorer_->lacks(context.who.user());
    co_return Status{};
  }
  CO_TRY(const Bucket bucket, admit(context, name));
  for (std::string& key : keys) slicer_.soon(store::make_key(bucket.id, {name, std::move(key)}));
  co_return Status{};
}

}  // namespace aisfs::target
