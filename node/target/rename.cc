// SPDX-License-Identifier: MIT
// Rename of one name, at the source's owner, and who meets one. README.md has the protocol; the
// order of the steps here is its proof.
#include "common/base/defer.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/model/version_key.h"
#include "common/obs/log.h"
#include "node/store/conditions.h"
#include "node/target/after_change.h"
#include "node/target/levels.h"
#include "node/target/local_target.h"
#include "node/target/lost_rename.h"
#include "node/target/mirrored.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

using IntentState = RenameIntent::State;
using PreparedState = PreparedRecord::State;

// A rename to a name lasts milliseconds; those that change the name meanwhile look this often.
constexpr auto kLook = std::chrono::milliseconds(2);
constexpr auto kWaitMax = std::chrono::seconds(10);  // if the request has no earlier deadline
constexpr auto kRound = std::chrono::seconds(1);     // between two rounds of background work
constexpr auto kFinishAgain = std::chrono::milliseconds(50);

Status under_way(const store::Key& key) {
  return Error(Errc::not_ready, key.display() + ": a rename to this name is under way");
}

}  // namespace

Task<Result<ObjectInfo>> LocalTarget::rename(Context context,
                                             ObjectName from,
                                             ObjectName to,
                                             RenameOptions options) {
  if (from.bucket != to.bucket) {
    co_return Error(Errc::cross_device, "rename stays within one bucket");
  }
  CO_TRY(const Admitted target, admit(context, to));
  CO_TRY(const Parent parent, co_await check_parent(context, target, options.has_parent));
  CO_TRY(Admitted source, admit_change(context, std::move(from)));
  if (context.unless_newer) {  // a second attempt: the first may have got as far as this
    const auto intent = renames_->committed_from(source.bucket.id, source.key.key());
    if (intent && intent->destination == to.key) {
      co_return co_await finish_by(std::move(context), intent->op_id, std::move(to));
    }
  }
  CO_CHECK_OK(co_await settle_for_write(context, source.key));
  if (source.key.key() == target.key.key()) {
    co_return co_await store_.head(source.key, std::move(options.source_conditions));
  }
  CO_TRY(const auto whole, co_await keep_whole(context, source.key));
  const Durability level = posix_level_of(source.bucket);
  const bool keeps = source.key.versioning != Versioning::kOff && !options.no_replace;
  CO_TRY(std::string owner, owner_of(to));
  if (owner == options_.node_id) {
    CO_CHECK_OK(co_await settle_for_write(context, target.key));
    if (keeps) CO_CHECK_OK(co_await make_keepable(context, target.key));
    CO_TRY(const auto replaced, reference_of(target.key));
    CO_TRY(const auto making, make_in(target, parent));
    lease(context, *target.map, target.bucket.id, path_of(target.key.key()));
    auto leaving = changing(context, source.key);
    auto coming = changing(context, target.key);
    CO_CHECK_OK(co_await leaving.alone());
    CO_CHECK_OK(co_await coming.alone());
    CO_CHECK_OK(check_placed(source));
    CO_CHECK_OK(leaving.begin());
    CO_CHECK_OK(coming.begin());
    auto moved = co_await store_.rename_local(source.key, target.key, std::move(options), level);
    if (!moved) {
      if (tells_of_state(moved.error())) coming.copied();  // nobody has to wait for that name
      CO_CHECK_OK(co_await leaving.refused(moved.error()));
      CO_CHECK_OK(co_await coming.refused(moved.error()));
    }
    CO_TRY(ObjectInfo info, std::move(moved));
    // First the new name: power loss of both may not find neither.
    CO_CHECK_OK(co_await coming.told());
    if (target.bucket.props.disk_copies > 1) {
      CO_CHECK_OK(after_change(co_await make_plain(context, target.key)));
      auto plain = co_await store_.head(target.key);
      if (plain) info = *std::move(plain);
    }
    CO_CHECK_OK(co_await leaving.told());
    if (replaced) CO_CHECK_OK(co_await drop_referenced(context, target.key, *replaced));
    if (keeps) CO_CHECK_OK(co_await mark_renamed(context, source.key));
    split_soon(target, info);
    co_return acknowledged(source, Result<ObjectInfo>(std::move(info)));
  }
  const Admitted old{source.bucket, source.key, source.map, {}};
  auto moved = co_await rename_away(context, std::move(source), std::move(to), std::move(owner),
                                    std::move(options), level);
  if (moved && keeps) CO_CHECK_OK(co_await mark_renamed(std::move(context), old.key));
  co_return acknowledged(old, std::move(moved));
}

Task<Result<ObjectInfo>> LocalTarget::rename_away(Context context,
                                                  Admitted from,
                                                  ObjectName to,
                                                  std::string to_owner,
                                                  RenameOptions options,
                                                  Durability level) {
  CO_TRY(const auto elsewhere, reference_of(from.key));
  if (elsewhere && !elsewhere->is_empty()) {
    // Two names would share what either may drop.
    CO_CHECK_OK(co_await materialise(context, from.key));
  }
  const std::string op_id = options_.node_id + "-" + to_hex(as_bytes(random_bytes(8)));
  // Until the source is gone nothing may give it new metadata, or it would stay beside the new
  // name.
  if (!renames_->reserve(from.bucket.id, from.key.key(), op_id)) {
    co_return under_way(from.key).error();
  }
  const Defer end([&] { renames_->release(from.bucket.id, from.key.key(), op_id); });
  auto leaving = changing(context, from.key);
  CO_CHECK_OK(co_await leaving.alone());
  Result<ObjectInfo> there = ObjectInfo{};
  const Status stays = check_not_moved(from.key);
  if (!stays) there = stays.error();
  if (stays) there = co_await store_.head(from.key, options.source_conditions);
  if (!there) {
    renames_->release(from.bucket.id, from.key.key(), op_id);
    CO_CHECK_OK(co_await leaving.refused(there.error()));
  }
  CO_TRY(ObjectInfo info, std::move(there));
  Conditions unchanged{.if_meta_version = info.meta_version};
  CO_CHECK_OK(leaving.begin());
  // The version first: what changes the source in between is refused below, or newer.
  CO_TRY(const Version gone, store_.next_version());
  CO_TRY(store::Reference content,
         co_await store_.detach_content(from.key, std::move(unchanged), level));
  RenameIntent intent{.op_id = op_id,
                      .state = IntentState::kPrepared,
                      .bucket = from.bucket.id,
                      .source = from.key.key(),
                      .destination = to.key,
                      .source_version = info.content_version,
                      .source_meta_version = info.meta_version,
                      .gone_version = gone,
                      .prepared_at = to_owner,
                      .ino = info.ino,
                      .posix = options.posix};
  if (options.posix) info.posix = std::move(options.posix);
  auto write_prepared = [this, intent] { return renames_->write(intent); };
  CO_CHECK_OK(co_await io_.run(std::move(write_prepared)));

  RenamePrepare prepare{.op_id = intent.op_id,
                        .source_owner = options_.node_id,
                        .bucket = to.bucket,
                        .bucket_id = from.bucket.id,
                        .source = intent.source,
                        .destination = to.key,
                        .content = content,
                        .info = std::move(info),
                        .no_replace = options.no_replace,
                        .destination_conditions = std::move(options.destination_conditions),
                        .level = level};
  const auto taken = co_await peers_.prepare_rename(context, to_owner, std::move(prepare));
  Status ready = taken ? check_placed(from) : Status(taken.error());
  if (ready) intent.taken_version = *taken;
  intent.state = ready ? IntentState::kCommitted : IntentState::kAborted;
  auto decide = [this, intent] { return renames_->write(intent); };
  CO_CHECK_OK(co_await io_.run(std::move(decide)));
  if (!ready) {
    // If this does not arrive, the destination's owner asks and hears that nothing is known.
    (void)co_await peers_.finish_rename(context, to_owner, intent.op_id, RenameState::kAborted);
    co_await drop_link(from.key, intent);
    co_return std::move(ready).error();
  }
  CO_CHECK_OK(co_await leaving.heard());
  auto done = co_await finish_by(std::move(context), intent.op_id, std::move(to));
  if (done) leaving.copied();  // of a name that is gone
  co_return done;
}

/// A committed rename is answered when both names say so: one of them may be on a target that is
/// lost for good otherwise. run() brings it to its end whatever the answer.
Task<Result<ObjectInfo>> LocalTarget::finish_by(Context context, std::string op_id, ObjectName to) {
  const Deadline deadline = context.deadline.earlier(Deadline::after(kWaitMax));
  const auto intent = renames_->intent(op_id);
  for (;;) {
    auto done = co_await roll_forward(context, op_id);
    if (!done && done.error() == Errc::precondition_failed) co_return done;
    if (done && done->ino != 0) co_return done;
    // An earlier attempt has published, or run() has ended it, or who waits for the name.
    if (done || !renames_->intent(op_id)) {
      auto there = co_await peers_.places().head(context, to, {});
      if (there && intent && is_made_by(*intent, *there)) co_return there;
      co_return Error(Errc::timed_out, to.display() + ": the rename to it came to its end");
    }
    if (deadline.expired()) co_return after_change(std::move(done).error()).error();
    CO_CHECK_OK(co_await clock_.sleep(kFinishAgain));
  }
}

Task<Result<ObjectInfo>> LocalTarget::publish_at_destination(Context context,
                                                             const RenameIntent& intent,
                                                             BucketName bucket) {
  const ObjectName to{bucket, intent.destination};
  std::string node = intent.prepared_at;
  if (node.empty()) {
    CO_TRY(node, owner_of(to));
  }
  const MapSnapshot map = maps_.current();
  const bool gone = map->find_node(node) == nullptr;
  // Of one copy nobody else knows what has become of it.
  if (gone || (has_lost_its_taker(*map, intent) && is_mirrored(store_, map->find_bucket(bucket)))) {
    const LostRename lost{options_.node_id, store_, peers_, map, intent, bucket};
    CO_TRY(const bool published, co_await was_published(lost, context));
    if (published) co_return ObjectInfo{};
    if (gone) {
      co_return Error(Errc::precondition_failed,
                      to.display() + ": target " + node + ", which had to take it, is gone");
    }
    CO_TRY(const bool over, is_over(lost));
    if (over) co_return ObjectInfo{};
    RenameIntent again = intent;
    again.state = IntentState::kCommitted;
    CO_TRY(again.taken_version, co_await prepare_again(lost, again.prepared_at, context));
    node = again.prepared_at;
    auto write = [this, again] { return renames_->write(again); };
    CO_CHECK_OK(co_await io_.run(std::move(write)));
  }
  auto published = co_await peers_.finish_rename(std::move(context), std::move(node), intent.op_id,
                                                 RenameState::kCommitted);
  // Nothing prepared there any more: it was published in an earlier attempt.
  if (!published && published.error() == Errc::not_found) co_return ObjectInfo{};
  co_return published;
}

Task<Result<ObjectInfo>> LocalTarget::roll_forward(Context context, std::string op_id) {
  // The request's own task, who waits for the name, and run(): one after the other.
  const auto guard = co_await rolling_.lock(xxh3_64(as_bytes(op_id)));
  // Whatever time the caller has: the others wait for this.
  context.deadline = context.deadline.earlier(Deadline::after(kWaitMax));
  auto found = renames_->intent(op_id);
  if (!found || found->state != IntentState::kCommitted) co_return Error(Errc::not_found, op_id);
  RenameIntent intent = *std::move(found);
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(intent.bucket);
  Result<ObjectInfo> published(ObjectInfo{});
  intent.state = IntentState::kDone;
  if (bucket != nullptr) {  // with the bucket both names went
    published = co_await publish_at_destination(context, intent, bucket->name);
    if (!published && published.error() != Errc::precondition_failed) co_return published;
    if (!published) {
      intent.state = IntentState::kAborted;
      const store::Key key = store::make_key(bucket->id, {bucket->name, intent.source});
      co_await drop_link(key, intent);
    } else {
      CO_CHECK_OK(co_await bury_source(std::move(context), *bucket, intent));
    }
  }
  auto write = [this, intent] { return renames_->write(intent); };
  CO_CHECK_OK(co_await io_.run(std::move(write)));
  co_return published;
}

/// The content's second name, of a rename that did not happen. While the name is as it was nobody
/// else can have been given it.
Task<void> LocalTarget::drop_link(const store::Key& key, const RenameIntent& intent) {
  const auto there = co_await store_.head(key);
  if (!there || there->content_version != intent.source_version) co_return;
  const store::Reference link{intent.source, intent.source_version};
  const Status gone = co_await store_.drop_content(key.bucket, key.name.bucket, link);
  if (!gone)
    LOG_WARN("content without a name stays", "of", key.display(), "why", gone.error().what());
}

Task<Status> LocalTarget::bury_source(Context context,
                                      const Bucket& bucket,
                                      const RenameIntent& intent) {
  const store::Key key = store::make_key(bucket.id, {bucket.name, intent.source});
  auto change = changing(std::move(context), key);
  CO_CHECK_OK(change.begin(intent.gone_version));
  CO_TRY(const bool gone,
         co_await store_.adopt_tombstone(key, intent.gone_version, Durability::kFull));
  // By an earlier attempt, perhaps, that was killed before its barrier had passed.
  if (!gone) CO_CHECK_OK(co_await store_.sync(key));
  co_return co_await told_or_handed_over(change, key);
}

/// What was decided while this target owned the name counts; its owner of now is offered it, after
/// a restart too: the rename may be forgotten then.
Task<Status> LocalTarget::told_or_handed_over(Change& change, const store::Key& key) {
  Status told = co_await change.told();
  const auto owner = owner_of(key.name);
  if (told || !owner || *owner == options_.node_id) co_return told;
  CO_CHECK_OK(co_await replicator_->note_clock());
  co_return co_await change.heard();
}

RenameState LocalTarget::rename_state(const std::string& op_id) const {
  return renames_->state_of(op_id);
}

// --- readers and writers that meet a rename ----------------------------------------------------

/// To be asked before the name is read: afterwards the rename may be over.
Status LocalTarget::check_not_moved(const store::Key& key) const {
  const auto intent = renames_->committed_from(key.bucket, key.key());
  if (!intent) return {};
  const auto now = version_of(key);
  if (!now || *now != intent->source_meta_version) return {};
  if (!has_lost_its_taker(*maps_.current(), *intent)) return Error(Errc::not_found, key.display());
  // The new name is not there yet, and is not on its way either.
  return Error(Errc::not_ready, key.display() + ": target " + intent->prepared_at +
                                    ", which had to take the name that it gets, is away");
}

Status LocalTarget::check_unreserved(const store::Key& key) const {
  return renames_->reserved(key.bucket, key.key()) ? under_way(key) : Status{};
}

Task<Status> LocalTarget::bring_home(Context context,
                                     const store::Key& key,
                                     Handover::Need need,
                                     Courtesy::Turn* turn) {
  MapSnapshot map = maps_.current();
  if (map->placement.past.empty() && !store_.lacks_anything()) co_return Status{};
  const Bucket* bucket = map->find_bucket(key.bucket);
  if (bucket == nullptr) co_return Status{};
  // What is here of the name may be about to go, because by an older map it was of no use here.
  if (copying_.has_older(map->epoch)) {
    const Deadline patience = context.deadline.earlier(Deadline::after(kWaitMax));
    const bool at_rest = co_await copying_.wait_for_older(map->epoch, patience);
    if (!at_rest) co_return Error(Errc::not_ready, key.display() + " is not at rest yet");
  }
  co_return co_await handover_.bring_home(std::move(context), map, *bucket, key, need, turn);
}

Task<Status> LocalTarget::settle_for_read(Context context, const store::Key& key) {
  CO_CHECK_OK(co_await bring_home(context, key, Handover::Need::kRead));
  co_return co_await ask_for_rename(std::move(context), key);
}

Task<Status> LocalTarget::ask_for_rename(Context context, const store::Key& key) {
  if (leases_->delegates()) {
    CO_CHECK_OK(co_await leases_->recall(context, key.bucket, Leases::below(path_of(key.key()))));
  }
  const auto prepared = renames_->prepared_to(key.bucket, key.key());
  if (!prepared) co_return Status{};
  co_return co_await settle_prepared(std::move(context), prepared->rename.op_id);
}

Task<Status> LocalTarget::settle_for_write(Context context,
                                           const store::Key& key,
                                           Handover::Need need) {
  CO_CHECK_OK(co_await bring_home(context, key, need));
  co_return co_await wait_for_rename(std::move(context), key);
}

Task<Status> LocalTarget::wait_for_rename(Context context, const store::Key& key) {
  const Deadline deadline = context.deadline.earlier(Deadline::after(kWaitMax));
  while (renames_->reserved(key.bucket, key.key())) {
    CO_CHECK_OK(co_await ask_for_rename(context, key));
    if (!renames_->reserved(key.bucket, key.key())) break;
    if (deadline.expired()) co_return under_way(key);
    CO_CHECK_OK(co_await clock_.sleep(kLook));
  }
  co_return co_await end_committed(std::move(context), key);
}

/// The source of a committed rename is as good as removed: makes it so.
Task<Status> LocalTarget::end_committed(Context context, const store::Key& key) {
  if (const auto intent = renames_->committed_from(key.bucket, key.key())) {
    const auto done = co_await roll_forward(std::move(context), intent->op_id);
    // What came to its end meanwhile is not in the way, however it ended.
    if (!done && renames_->intent(intent->op_id)) co_return done.error();
  }
  co_return Status{};
}

/// Asks the source's owner and follows it; a rename that is undecided leaves the old state valid.
Task<Status> LocalTarget::settle_prepared(Context context, std::string op_id) {
  const auto prepared = renames_->prepared(op_id);
  if (!prepared || prepared->state != PreparedState::kPrepared) co_return Status{};
  const std::string& owner = prepared->rename.source_owner;
  RenameState state = RenameState::kUnknown;
  // With who is gone for good its decision went, and nobody was told that it happened.
  if (maps_.current()->find_node(owner) != nullptr) {
    CO_TRY(state, co_await peers_.rename_state(context, owner, op_id));
  }
  if (state == RenameState::kPrepared) co_return Status{};
  auto done = co_await finish_rename(std::move(context), std::move(op_id), state);
  if (!done && done.error() != Errc::not_found) co_return std::move(done).error();
  co_return Status{};
}

// --- background --------------------------------------------------------------------------------

/// After a restart: what is only prepared was not decided, so it is given up.
Task<Status> LocalTarget::settle_intent(Context context, std::string op_id) {
  auto intent = renames_->intent(op_id);
  if (!intent) co_return Status{};
  if (intent->state == IntentState::kCommitted) {
    CO_TRY(const ObjectInfo done, co_await roll_forward(std::move(context), std::move(op_id)));
    (void)done;
  }
  co_return Status{};
}

bool LocalTarget::has_open_renames() const { return renames_->has_work(); }

/// Whether the source's owner has ended the rename. One who is away may have died between the two
/// names: the old one is removed where it lies by now, unless it was changed since.
Task<bool> LocalTarget::source_is_over(Context context, const RenamePrepare& rename) {
  const MapSnapshot map = maps_.current();
  const NodeInfo* owner = map->find_node(rename.source_owner);
  if (owner != nullptr && owner->state != NodeState::kAway) {
    const auto state = co_await peers_.rename_state(context, rename.source_owner, rename.op_id);
    co_return state && *state == RenameState::kUnknown;
  }
  const Bucket* bucket = map->find_bucket(rename.bucket_id);
  // Of a version's name it is not known what it has become.
  if (bucket == nullptr || bucket->props.versioning != Versioning::kOff) co_return true;
  ObjectName source{rename.bucket, rename.source};
  RemoveOptions unchanged{.conditions = {.if_meta_version = rename.info.meta_version}};
  const Status gone =
      co_await peers_.places().remove(std::move(context), std::move(source), std::move(unchanged));
  co_return gone || gone.error() == Errc::not_found || gone.error() == Errc::precondition_failed;
}

Task<Result<std::size_t>> LocalTarget::settle_all(Context context) {
  for (const RenameIntent& intent : renames_->take_given_up()) {
    const Bucket* bucket = maps_.current()->find_bucket(intent.bucket);
    if (bucket == nullptr || !renames_->reserve(intent.bucket, intent.source, intent.op_id))
      continue;
    const Defer end([&] { renames_->release(intent.bucket, intent.source, intent.op_id); });
    const store::Key key = store::make_key(bucket->id, {bucket->name, intent.source});
    co_await drop_link(key, intent);
  }
  for (const std::string& op_id : renames_->open_intents()) {
    (void)co_await settle_intent(context, op_id);  // tried again in the next round
  }
  for (const std::string& op_id : renames_->open_prepared()) {
    (void)co_await settle_prepared(context, op_id);
    const auto prepared = renames_->prepared(op_id);
    if (!prepared || prepared->state != PreparedState::kPublished) continue;
    ObjectName name{prepared->rename.bucket, prepared->rename.destination};
    const store::Key key = store::make_key(prepared->rename.bucket_id, std::move(name));
    if (!prepared->is_settled) {
      const Status settled = co_await settle_published(context, key, prepared->rename.content);
      if (!settled) continue;
      renames_->note_settled(op_id);
    }
    const bool over = co_await source_is_over(context, prepared->rename);
    if (!over) continue;
    auto write = [this, done = RenameLog::Prepared{prepared->rename, PreparedState::kDone}] {
      return renames_->write(done);
    };
    CO_CHECK_OK(co_await io_.run(std::move(write)));
  }
  for (PrefixMapping& mapping : own_mappings()) {
    (void)co_await rewrite(context, std::move(mapping));
  }
  co_return renames_->open_intents().size() + renames_->open_prepared().size() +
      own_mappings().size();
}

/// Of a name that a rename between two disks has made: the bytes get copies then.
Task<Status> LocalTarget::make_plain(Context context, store::Key key) {
  CO_TRY(const auto content, reference_of(key));
  if (!content || content->is_empty() || store::is_sliced(*content)) co_return Status{};
  CO_CHECK_OK(co_await materialise(std::move(context), key));
  CO_TRY(const auto now, reference_of(key));
  if (!now || *now != *content) co_return Status{};
  co_return Error(Errc::not_ready, key.display() + " is not plain yet");  // it was changed
}

/// Those that a change of the bucket's copies, or a crash, has left so.
Task<void> LocalTarget::make_all_plain(Context context) {
  for (store::Key& key : store_.take_references()) {
    const auto owner = owner_of(key.name);
    if (!owner || *owner != options_.node_id) continue;
    const Status plain = co_await make_plain(context, key);
    if (plain) continue;
    (void)co_await store_.copy_to_disks(std::move(key));  // so that it is found again
  }
}

Task<void> LocalTarget::run() {
  for (;;) {
    const auto seen = work_.count();
    Context own{.who = auth::node_identity(options_.node_id), .trace = "settle"};
    own.deadline = Deadline::after(std::chrono::minutes(1));
    (void)co_await settle_all(own);
    co_await make_all_plain(std::move(own));
    if (maps_.current()->placement.settled()) handover_.end();
    co_await work_.wait(seen, Deadline::after(kRound));
  }
}

}  // namespace aisfs::target
