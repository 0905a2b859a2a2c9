// SPDX-License-Identifier: MIT
// What other targets ask of names that are placed elsewhere by now.
#include "common/async/gather.h"
#include "common/model/version_key.h"
#include "common/placement/hrw.h"
#include "node/target/copy_time.h"
#include "node/target/local_target.h"
#include "node/target/mirrored.h"

namespace aisfs::target {
namespace {

// Names of one comparison that are looked for at once.
constexpr std::size_t kNamesAtOnce = 32;
// Until its copies are there, beside the time that its bytes take.
constexpr Duration kOfferedMax = std::chrono::seconds(10);
// As long as the node waits before it says that a map is in force.
constexpr Duration kOlderChangesMax = std::chrono::seconds(2);
constexpr Duration kCopyingMax = std::chrono::seconds(20);

store::Key plain_key_of(const Bucket& bucket, std::string_view key) {
  return store::make_key(bucket.id, {bucket.name, std::string(plain_key(key))});
}

}  // namespace

Task<Result<std::vector<store::NameState>>> LocalTarget::name_states(Context context,
                                                                     BucketName bucket,
                                                                     std::string key) {
  CO_TRY(const Bucket found, admit(context, bucket));
  const store::Key at = plain_key_of(found, key);
  // Not while a rename of it is under way: what it leaves here would not be found again.
  CO_CHECK_OK(co_await wait_for_rename(context, at));
  // Nor before what an older map let in is here, or is not: nobody asks again. A copy that was
  // being taken when the name got other holders would stay, and be listed, until it is offered.
  const Epoch epoch = maps_.current()->epoch;
  if (changes_.given_up() < epoch) {
    (void)co_await changes_.wait_for_older(epoch, Deadline::after(kOlderChangesMax));
  }
  // Changes of this target's own that nobody waits for any more are not acknowledged either. Copies
  // are, by their owners: they are waited for, however slow the disk is.
  const Deadline patience = context.deadline.earlier(Deadline::after(kCopyingMax));
  const bool all = co_await copying_.wait_for_older(epoch, patience);
  if (!all) co_return Error(Errc::not_ready, "copies are still on their way to a disk");
  co_return store_.states_of(at);
}

Task<Result<NameThere>> LocalTarget::find_name(Context context,
                                               BucketName bucket,
                                               std::string key) {
  NameThere there;
  CO_TRY(const Bucket found, admit(context, bucket));
  CO_TRY(there.states, co_await name_states(std::move(context), std::move(bucket), key));
  const bool one = there.states.size() == 1 && there.states[0].key == plain_key(key);
  if (!one || there.states[0].kind != store::NameState::Kind::kObject) co_return there;
  if (there.states[0].size > NameThere::kCopyMax) co_return there;
  const store::Key at = plain_key_of(found, key);
  CO_TRY(const auto reference, reference_of(at));
  if (reference) co_return there;
  auto copy = co_await open_copy(at);
  if (!copy || copy->meta.info.meta_version != there.states[0].meta_version) co_return there;
  auto bytes = co_await read_all(*copy->body, NameThere::kCopyMax);
  if (bytes) there.copy = {std::move(copy->meta), *std::move(bytes)};
  co_return there;
}

/// A reference goes with the bytes that it refers to; they stay for whoever reads them.
Task<Result<store::ObjectCopy>> LocalTarget::fetch_copy(Context context,
                                                        BucketName bucket,
                                                        store::NameState state) {
  CO_TRY(const Bucket found, admit(context, bucket));
  const store::Key key = store::make_key(found.id, {bucket, state.key});
  CO_TRY(const auto reference, reference_of(key));
  Result<store::ObjectCopy> copy(Errc::not_found);
  if (!reference) {
    copy = co_await open_copy(key);
  } else {
    CO_TRY(ObjectInfo info, co_await store_.head(key));
    copy = store::ObjectCopy{{.bucket = found.id, .key = state.key, .info = info}, nullptr};
    if (reference->is_empty() || store::is_sliced(*reference)) {
      // What lies elsewhere stays there.
      CO_TRY(copy->meta, co_await store_.reference_here(key));
      copy->body = std::make_unique<StringSource>("");
    } else {
      copy->meta.level = found.props.write_level;
      const ByteRange all{.offset = 0, .length = info.size};
      CO_TRY(ObjectStream stream,
             co_await open_content_anywhere(std::move(context), key, *reference, all));
      copy->body = std::move(stream.body);
    }
  }
  if (copy && copy->meta.info.meta_version != state.meta_version) {
    co_return Error(Errc::stale_map, key.display() + " has changed meanwhile");
  }
  co_return copy;
}

Status LocalTarget::check_not_held(const Bucket& bucket, const ObjectName& name) const {
  CHECK_OK(owner_of(name));
  const MapSnapshot map = maps_.current();
  for (const NodeInfo* holder : placement::holders_of(*map, name, bucket.props.copies)) {
    if (holder->id != options_.node_id) continue;
    return Error(Errc::stale_map, name.display() + " belongs to this target");
  }
  return {};
}

Task<Status> LocalTarget::forget_copies(Context context,
                                        BucketName bucket,
                                        std::vector<store::NameState> states,
                                        Durability level) {
  // The ticket first, as in admit_change: this target may get the names back by the next map.
  const auto ticket = copying_.begin(maps_.current()->epoch);
  CO_TRY(const Bucket found, admit(context, bucket));
  for (const store::NameState& state : states) {
    const store::Key key = store::make_key(found.id, {bucket, state.key});
    CO_CHECK_OK(check_not_held(found, key.name));
    CO_TRY(const auto reference, reference_of(key));
    CO_CHECK_OK(co_await store_.forget(key, state.meta_version));
    if (level == Durability::kFull) CO_CHECK_OK(co_await store_.sync(key));
    // Slices are not this copy's, but its name's.
    if (reference && !store::is_sliced(*reference)) {
      CO_CHECK_OK(co_await drop_referenced(context, key, *reference));
    }
  }
  co_return Status{};
}

Task<Result<bool>> LocalTarget::take_offer(
    Context context, MapSnapshot map, const Bucket& bucket, store::NameState state, Pace pace) {
  const store::Key key = plain_key_of(bucket, state.key);
  const NodeInfo* owner = placement::owner_of(*map, key.name);
  if (owner == nullptr || owner->id != options_.node_id) {
    co_return Error(Errc::stale_map, key.display() + " is not this target's");
  }
  // Who offers does nothing else meanwhile, and may be one of those that are missing.
  if (!Replicator::check_targets(*map, bucket)) co_return false;
  std::optional<Courtesy::Turn> turn;
  if (pace == Pace::kCourteous) turn.emplace(co_await courtesy_.turn());
  Courtesy::Turn* const shorter = turn && !is_mirrored(store_, &bucket) ? &*turn : nullptr;
  CO_CHECK_OK(co_await bring_home(context, key, Handover::Need::kChange, shorter));
  CO_TRY(bool known, has_state(key, state));
  if (!known && state.kind == store::NameState::Kind::kTombstone) {
    // Of one who has nothing to do with the name any more, and has kept it for longer than others.
    const store::Key gone = store::make_key(bucket.id, {bucket.name, state.key});
    CO_TRY([[maybe_unused]] const bool taken,
           co_await store_.adopt_tombstone(gone, state.meta_version, bucket.props.write_level));
    known = true;
  }
  if (!known) {
    // A change that its target did not acknowledge any more, after the name was brought home.
    handover_.doubt(key);
    CO_CHECK_OK(co_await bring_home(context, key, Handover::Need::kChange));
    CO_TRY(bool here, has_state(key, state));
    if (!here) {
      CO_TRY(here, co_await healer_.bring_back(bucket, state));
    }
    if (!here) co_return false;
  }
  CO_TRY(const auto reference, reference_of(key));
  if (reference && store::is_sliced(*reference)) {
    CO_TRY(const bool there, co_await slicer_.take_in(map, bucket, key, context.who.user()));
    if (!there) co_return false;
  }
  // What is forgotten there may have been one of the copies.
  context.deadline =
      context.deadline.earlier(Deadline::after(kOfferedMax + time_of_copy(state.size)));
  CO_CHECK_OK(co_await replicator_->replicate(std::move(context), key, Replicator::Kind::kOther));
  co_return true;
}

/// As new as that, at least.
Result<bool> LocalTarget::has_state(const store::Key& key, const store::NameState& state) const {
  TRY(const auto here, store_.states_of(key));
  return std::any_of(here.begin(), here.end(), [&](const store::NameState& own) {
    return own.key == state.key && own.meta_version >= state.meta_version;
  });
}

Task<Result<std::vector<bool>>> LocalTarget::offer_names(Context context,
                                                         BucketName bucket,
                                                         std::vector<store::NameState> states,
                                                         Pace pace) {
  CO_TRY(const Bucket found, admit(context, bucket));
  const MapSnapshot map = maps_.current();
  // What waits for turns is bounded by these.
  const std::size_t at_once = pace == Pace::kAtOnce ? kNamesAtOnce : states.size();
  std::vector<bool> taken;
  for (std::size_t at = 0; at < states.size(); at += at_once) {
    std::vector<Task<Result<bool>>> calls;
    for (std::size_t i = at; i < std::min(at + at_once, states.size()); ++i) {
      calls.push_back(take_offer(context, map, found, std::move(states[i]), pace));
    }
    for (const Result<bool>& one : co_await gather(std::move(calls))) {
      taken.push_back(one.ok() && *one);
    }
  }
  // Where the only copy is forgotten now it may have been on a disk for long, at whatever level it
  // was written. And not all at the end of a walk: readers would wait behind that. Of other buckets
  // names are offered one by one, too, by holders whom clients wait for.
  const bool any = std::find(taken.begin(), taken.end(), true) != taken.end();
  if (any && !is_mirrored(store_, &found)) CO_CHECK_OK(co_await store_.sync_all());
  co_return taken;
}

Task<Result<std::vector<bool>>> LocalTarget::compare_names(Context context,
                                                           BucketName bucket,
                                                           std::string from,
                                                           std::vector<store::NameState> states) {
  CO_TRY(const Bucket found, admit(context, bucket));
  const MapSnapshot map = maps_.current();
  std::vector<bool> older;
  for (std::size_t at = 0; at < states.size(); at += kNamesAtOnce) {
    std::vector<Task<Result<bool>>> calls;
    for (std::size_t i = at; i < std::min(at + kNamesAtOnce, states.size()); ++i) {
      calls.push_back(handover_.is_superseded(context, map, found, from, std::move(states[i])));
    }
    for (Result<bool>& one : co_await gather(std::move(calls))) {
      CO_TRY(const bool is_older, std::move(one));
      older.push_back(is_older);
    }
  }
  co_return older;
}

}  // namespace aisfs::target
