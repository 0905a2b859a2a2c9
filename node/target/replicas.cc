// SPDX-License-Identifier: MIT
// Copies of names of other targets, which their owners keep here (replicator.h).
#include "common/model/version_key.h"
#include "common/placement/hrw.h"
#include "node/store/upload.h"
#include "node/target/local_target.h"
#include "node/target/tombstones.h"

namespace aisfs::target {
namespace {

bool has(const std::vector<store::NameState>& here, const store::NameState& state) {
  return std::any_of(here.begin(), here.end(), [&](const store::NameState& own) {
    return own.key == state.key && own.meta_version >= state.meta_version;
  });
}

}  // namespace

/// An owner that was replaced, without knowing it, changes nothing here.
Status LocalTarget::check_copy_from(const ClusterMap& map,
                                    const Bucket& bucket,
                                    const std::string& from,
                                    const ObjectName& name) const {
  const auto holders = placement::holders_of(map, name, bucket.props.copies);
  const bool own = std::any_of(holders.begin(), holders.end(), [this](const NodeInfo* holder) {
    return holder->id == options_.node_id;
  });
  if (!holders.empty() && holders[0]->id == from && own) return {};
  return Error(Errc::stale_map, "no copy of " + name.display() + " of target " + from +
                                    " belongs to target " + options_.node_id);
}

Result<LocalTarget::Copying> LocalTarget::admit_copy(const Context& context,
                                                     const BucketName& bucket) {
  // The ticket first: see admit_change.
  Copying copying{.ticket = copying_.begin(maps_.current()->epoch), .map = {}, .bucket = {}};
  TRY(copying.bucket, admit(context, bucket));
  copying.map = maps_.current();
  return copying;
}

Task<Result<std::vector<bool>>> LocalTarget::lacks_copies(Context context,
                                                          std::string from,
                                                          BucketName name,
                                                          std::vector<store::NameState> states,
                                                          bool whole) {
  CO_TRY(const Copying copying, admit_copy(context, name));
  const Bucket& bucket = copying.bucket;
  std::vector<bool> lacking;
  for (const store::NameState& state : states) {
    const store::Key key = store::make_key(bucket.id, {name, state.key});
    CO_CHECK_OK(check_copy_from(*copying.map, bucket, from, key.name));
    std::vector<store::NameState> here;
    if (!is_version_key(state.key)) store_.confirm(key, state.meta_version);
    if (!store_.may_lack(key)) {  // else it is on a disk that is out of reach, if anywhere
      CO_TRY(here, store_.states_of(key));
    }
    const bool tombstone = state.kind == store::NameState::Kind::kTombstone;
    if (tombstone && !has(here, state)) {
      CO_TRY([[maybe_unused]] const bool taken,
             co_await store_.adopt_tombstone(key, state.meta_version, bucket.props.write_level));
    }
    lacking.push_back(!tombstone && !has(here, state));
    if (!lacking.back()) {  // an earlier attempt may have got it to one disk
      CO_TRY([[maybe_unused]] const bool all, co_await store_.copy_to_disks(key));
    }
  }
  if (whole && !states.empty()) CO_CHECK_OK(co_await forget_kept(bucket, states));
  co_return lacking;
}

/// What the owner does not keep of the name any more.
Task<Status> LocalTarget::forget_kept(const Bucket& bucket,
                                      const std::vector<store::NameState>& states) {
  const std::string plain(plain_key(states.front().key));
  const store::Key key = store::make_key(bucket.id, {bucket.name, plain});
  if (store_.may_lack(key)) co_return Status{};
  CO_TRY(const auto here, store_.states_of(key));
  if (here.empty()) co_return Status{};
  // A message that was overtaken by a later one says nothing about what came with that.
  if (here.front().key == plain && !has(states, here.front())) co_return Status{};
  for (const store::NameState& own : here) {
    const bool kept = std::any_of(states.begin(), states.end(),
                                  [&](const auto& state) { return state.key == own.key; });
    if (kept || own.key == plain) continue;
    const store::Key gone = store::make_key(bucket.id, {bucket.name, own.key});
    CO_CHECK_OK(co_await store_.forget(gone, own.meta_version));
  }
  co_return Status{};
}

Task<Status> LocalTarget::take_copy(
    Context context, std::string from, BucketName name, store::StoredMeta meta, BodySource& body) {
  CO_TRY(const Bucket bucket, admit(context, name));
  const store::Key key = store::make_key(bucket.id, {name, meta.key});
  if (meta.reference) {
    CO_TRY(const Copying copying, admit_copy(context, name));
    CO_CHECK_OK(check_copy_from(*copying.map, bucket, from, key.name));
    const Version version = meta.info.meta_version;
    auto taken = co_await store_.adopt_reference(key, std::move(meta));
    if (taken) confirm_copy(key, version);
    co_return taken ? Status{} : Status(std::move(taken).error());
  }
  PutOptions options{.level = meta.level, .size = meta.info.size};
  const auto upload = store_.begin_put(key, std::move(options));
  CO_CHECK_OK(co_await upload->write_from(body));
  // The bytes may have been long on their way.
  CO_TRY(const Copying copying, admit_copy(context, name));
  CO_CHECK_OK(check_copy_from(*copying.map, copying.bucket, from, key.name));
  const Version version = meta.info.meta_version;
  auto taken = co_await upload->adopt(std::move(meta));
  if (taken) confirm_copy(key, version);
  co_return taken ? Status{} : Status(std::move(taken).error());
}

/// Of the plain name it is what its owner has now.
void LocalTarget::confirm_copy(const store::Key& key, Version version) {
  if (!is_version_key(key.key())) store_.confirm(key, version);
}

Task<Result<bool>> LocalTarget::take_attributes(
    Context context, std::string from, BucketName name, std::string at, ObjectInfo info) {
  CO_TRY(const Copying copying, admit_copy(context, name));
  const store::Key key = store::make_key(copying.bucket.id, {name, std::move(at)});
  CO_CHECK_OK(check_copy_from(*copying.map, copying.bucket, from, key.name));
  co_return co_await store_.adopt_attributes(key, std::move(info),
                                             copying.bucket.props.write_level);
}

Task<Result<std::vector<bool>>> LocalTarget::forget_tombstones(
    Context context, std::string from, BucketName name, std::vector<store::NameState> states) {
  CO_TRY(const Copying copying, admit_copy(context, name));
  std::vector<bool> gone(states.size(), false);
  const bool in_order = all_know_all(*copying.map) && !has_open_renames() &&
                        !store_.lacks_anything() && store_.storage().settled;
  if (!in_order) co_return gone;
  // No power loss brings back what they bury.
  CO_CHECK_OK(co_await store_.sync_all());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const store::Key key = store::make_key(copying.bucket.id, {name, std::move(states[i].key)});
    CO_CHECK_OK(check_copy_from(*copying.map, copying.bucket, from, key.name));
    const Version version = states[i].meta_version;
    CO_TRY(const bool one, co_await store_.forget_tombstone(key, version));
    gone[i] = one;
  }
  co_return gone;
}

Task<Status> LocalTarget::sync_copy(Context context, BucketName name, std::string at) {
  CO_TRY(const Bucket bucket, admit(context, name));
  const store::Key key = store::make_key(bucket.id, {std::move(name), std::move(at)});
  co_return co_await store_.sync(key);
}

}  // namespace aisfs::target
