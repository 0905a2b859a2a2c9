// SPDX-License-Identifier: MIT
#include "node/target/local_target.h"

#include "common/model/version_key.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"
#include "node/target/after_change.h"
#include "node/target/levels.h"
#include "node/target/mirrored.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

/// Owners and administrators; nobody else, whatever they ask.
Status may_use(const auth::Identity& who, const Bucket& bucket) {
  if (who.is_admin()) return {};
  if (!who.is_anonymous() && who.user() == bucket.owner) return {};
  return Error(Errc::permission_denied, "bucket \"" + bucket.name.display() + "\" is not yours");
}

bool keeps_versions(const store::Key& key) { return key.versioning != Versioning::kOff; }

bool only_posix(const AttrChange& change) {
  return !change.user && change.user_patch.empty() && !change.content_type && !change.headers;
}

}  // namespace

LocalTarget::LocalTarget(
    LocalTargetOptions options, store::Store& store, MapSource& maps, Peers& peers, Clock& clock)
    : options_(std::move(options)),
      store_(store),
      maps_(maps),
      peers_(peers),
      clock_(clock),
      handover_({.node_id = options_.node_id,
                 .store = store,
                 .maps = maps,
                 .peers = peers,
                 .copying = copying_}),
      healer_({.node_id = options_.node_id,
               .store = store,
               .maps = maps,
               .peers = peers,
               .clock = clock}),
      slicer_({.node_id = options_.node_id,
               .store = store,
               .maps = maps,
               .peers = peers,
               .clock = clock,
               .names = *this,
               .readers = options_.slice_readers,
               .young = options_.slice_youth}),
      closed_dirs_(clock) {}
LocalTarget::~LocalTarget() { store_.set_copy_keeper(nullptr); }

Result<std::unique_ptr<LocalTarget>> LocalTarget::open(
    LocalTargetOptions options, store::Store& store, MapSource& maps, Peers& peers, Clock& clock) {
  std::unique_ptr<LocalTarget> target(
      new LocalTarget(std::move(options), store, maps, peers, clock));
  TRY(target->renames_, RenameLog::open(target->options_.state_dir));
  TRY(target->replicator_, Replicator::open({.node_id = target->options_.node_id,
                                             .state_dir = target->options_.state_dir,
                                             .store = store,
                                             .maps = maps,
                                             .peers = peers,
                                             .clock = clock,
                                             .io = target->io_}));
  store.set_copy_keeper(target->replicator_.get());
  target->restorer_ =
      std::make_unique<Restorer>(Restorer::Deps{.node_id = target->options_.node_id,
                                                .store = store,
                                                .maps = maps,
                                                .peers = peers,
                                                .clock = clock,
                                                .replicator = *target->replicator_});
  Leases::Options leases{.state_dir = target->options_.state_dir + "/leases"};
  TRY(target->leases_, Leases::open(std::move(leases), maps, clock));
  return target;
}

namespace {

Result<Bucket> admit_by(const ClusterMap& map, const Context& context, const BucketName& name) {
  if (context.epoch != 0 && context.epoch != map.epoch) {
    return Error(Errc::stale_map, "the request was placed by the map of epoch " +
                                      std::to_string(context.epoch) + ", known here is " +
                                      std::to_string(map.epoch));
  }
  const Bucket* bucket = map.find_bucket(name);
  if (bucket == nullptr) {
    return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
  }
  CHECK_OK(may_use(context.who, *bucket));
  return *bucket;
}

}  // namespace

Result<Bucket> LocalTarget::admit(const Context& context, const BucketName& name) const {
  courtesy_.note(context.who);
  const MapSnapshot map = maps_.current();
  store_.set_epoch(map->epoch);
  return admit_by(*map, context, name);
}

Result<LocalTarget::Admitted> LocalTarget::admit(const Context& context, ObjectName name) const {
  CHECK_OK(validate_version_key(name.key));
  courtesy_.note(context.who);
  MapSnapshot map = maps_.current();
  store_.set_epoch(map->epoch);  // what is written beats what was by older maps
  TRY(Bucket bucket, admit_by(*map, context, name.bucket));
  store::Key key = store::make_key(bucket.id, std::move(name));
  if (!is_version_key(key.key())) key.versioning = bucket.props.versioning;
  return Admitted{std::move(bucket), std::move(key), std::move(map), {}};
}

Result<LocalTarget::Admitted> LocalTarget::admit_change(const Context& context, ObjectName name) {
  // The ticket first: whoever waits for older changes after a newer map has come sees it, or this
  // sees the newer map.
  auto ticket = changes_.begin(maps_.current()->epoch);
  TRY(Admitted at, admit(context, std::move(name)));
  at.ticket = std::move(ticket);
  return at;
}

LocalTarget::Change::Change(LocalTarget& self, const Context& context, store::Key key)
    : self_(self),
      context_(context),
      key_(std::move(key)),
      since_(self.maps_.current()->placement.since),
      telling_(*self.leases_, context_, key_.bucket, path_of(key_.key())),
      losses_(self.store_.losses()) {}

/// What was refused needs no copies; of what failed otherwise it is not known.
LocalTarget::Change::~Change() {
  const auto now = self_.version_of(key_);
  if (now && *now == before_) copies_.done();
}

Status LocalTarget::Change::begin(Version version) {
  const MapSnapshot map = self_.maps_.current();
  const Bucket* bucket = map->find_bucket(key_.bucket);
  if (!is_mirrored(self_.store_, bucket)) return {};
  CHECK_OK(Replicator::check_targets(*map, *bucket));
  if (self_.store_.copies_kept(bucket->id) < bucket->props.disk_copies) {
    return Error(Errc::not_ready, "bucket \"" + bucket->name.display() + "\" is about to lie on " +
                                      std::to_string(bucket->props.disk_copies) + " disks");
  }
  TRY(before_, self_.version_of(key_));
  losses_ = self_.store_.losses();
  TRY(copies_, self_.replicator_->begin(key_, version));
  return {};
}

Task<Status> LocalTarget::Change::told(Replicator::Kind kind,
                                       ChangesUnderWay::Ticket ticket,
                                       CopyStreams* streams) {
  // Also when the bucket has got copies since the change began.
  const MapSnapshot map = self_.maps_.current();
  const Bucket* bucket = map->find_bucket(key_.bucket);
  if (!copies_.empty() || is_mirrored(self_.store_, bucket)) {
    ticket = {};
    CO_CHECK_OK(after_change(co_await self_.replicator_->replicate(context_, key_, kind, streams)));
    if (self_.store_.losses() != losses_) {
      // It may have gone with the disk, and what others had of the name before may be here instead.
      co_return Error(Errc::timed_out, key_.display() + ": a disk has failed since it was changed");
    }
    copies_.done();
  }
  if (self_.maps_.current()->placement.since != since_) ticket = {};
  co_return co_await heard();
}

Task<Status> LocalTarget::Change::heard() {
  CO_CHECK_OK(co_await telling_.told());
  const MapSnapshot map = self_.maps_.current();
  CO_TRY(bool hides, self_.handover_.is_gone(key_));
  hides = hides || key_.versioning != Versioning::kOff || is_version_key(key_.key());
  // Who held it when the change was sent may not be one of the holders any more, and still list it.
  if (hides && map->placement.since != since_) {
    CO_CHECK_OK(after_change(co_await self_.bring_home(context_, key_, Handover::Need::kChange)));
  }
  co_return after_change(co_await self_.handover_.drop_leftovers(context_, *map, key_));
}

Task<Status> LocalTarget::Change::refused(const Error& why) {
  if (!tells_of_state(why)) co_return Status{};
  copies_.done();
  co_return co_await self_.replicator_->seen(context_, key_);
}

LocalTarget::Change LocalTarget::changing(const Context& context, const store::Key& key) {
  return Change(*this, context, key);
}

Result<Version> LocalTarget::version_of(const store::Key& key) const {
  const Bucket* bucket = maps_.current()->find_bucket(key.bucket);
  // Nobody else knows what a disk that is out of reach may have of it.
  const bool alone = is_mirrored(store_, bucket) && bucket->props.copies == 1;
  TRY(const auto states, alone ? store_.states_here(key) : store_.states_of(key));
  return states.empty() ? Version() : states.front().meta_version;
}

Status LocalTarget::check_placed(const Admitted& at) const {
  if (options_.may_serve) CHECK_OK(options_.may_serve());
  const MapSnapshot now = maps_.current();
  if (now->epoch == at.map->epoch) return {};
  if (now->find_bucket(at.bucket.id) == nullptr) {
    return Error(Errc::not_found,
                 "bucket \"" + at.bucket.name.display() + "\" does not exist any more");
  }
  if (now->mappings != at.map->mappings) {
    return Error(Errc::stale_map, "a directory was renamed meanwhile");
  }
  if (now->placement == at.map->placement) return {};
  TRY(const std::string owner, owner_of(at.key.name));
  if (owner != options_.node_id) {
    return Error(Errc::stale_map, at.key.display() + " belongs to another target by now");
  }
  if (now->placement.since == at.map->placement.since) return {};
  if (handover_.is_known(*now, at.bucket, at.key)) return {};
  return Error(Errc::stale_map, at.key.display() + " may have changed at another target meanwhile");
}

/// A change that a map let in is waited for before another target gets the name (Placement::held).
Status LocalTarget::check_acknowledged(const Admitted& at) const {
  Status may = options_.may_serve ? options_.may_serve() : Status();
  const MapSnapshot now = maps_.current();
  const bool waited_for =
      now->placement.since == at.map->placement.since && changes_.given_up() <= at.map->epoch;
  if (may && !waited_for) {
    const auto owner = owner_of(at.key.name);
    if (!owner || *owner != options_.node_id) {
      may = Error(Errc::stale_map, at.key.display() + " belongs to another target by now");
    }
  }
  return after_change(std::move(may));
}

Result<std::string> LocalTarget::owner_of(const ObjectName& name) const {
  const MapSnapshot map = maps_.current();
  const NodeInfo* owner = placement::owner_of(*map, name);
  if (owner != nullptr) return owner->id;
  if (placement::is_handed_over(*map, name)) {
    return Error(Errc::stale_map, name.display() + " is being handed over to another target");
  }
  return Error(Errc::not_ready, "no target of the cluster is active");
}

Version LocalTarget::last_version() const {
  store_.set_epoch(maps_.current()->epoch);  // as every request does
  return store_.last_version();
}

// --- reading -----------------------------------------------------------------------------------

namespace {

/// What a target that has nothing to do with a name any more has of it is no answer: neither an
/// older state, nor that it is gone. It may have been forgotten here while the request waited.
Status still_placed(const ClusterMap& then, const ClusterMap& now, const store::Key& key) {
  if (now.placement == then.placement) return {};
  return Error(Errc::stale_map, key.display() + ": targets have changed meanwhile");
}

template <class T>
bool is_gone(const Result<T>& found) {
  return !found && found.error() == Errc::not_found;
}

}  // namespace

Task<Result<ObjectInfo>> LocalTarget::head(Context context,
                                           ObjectName name,
                                           Conditions conditions) {
  CO_TRY(Admitted at, admit(context, std::move(name)));
  if (is_version_key(at.key.key())) {
    co_return co_await head_version(std::move(context), std::move(at), std::move(conditions));
  }
  CO_CHECK_OK(co_await settle_for_read(context, at.key));
  Result<ObjectInfo> info = ObjectInfo{};
  const Status stays = check_not_moved(at.key);
  if (!stays) info = stays.error();
  if (stays) info = co_await store_.head(at.key, std::move(conditions));
  if (is_gone(info)) CO_CHECK_OK(still_placed(*at.map, *maps_.current(), at.key));
  CO_CHECK_OK(co_await replicator_->seen(std::move(context), at.key));
  co_return info;
}

Task<Result<ObjectStream>> LocalTarget::get(Context context, ObjectName name, GetOptions options) {
  CO_TRY(Admitted at, admit(context, std::move(name)));
  if (is_version_key(at.key.key())) {
    co_return co_await get_version(std::move(context), std::move(at), std::move(options));
  }
  co_return co_await get_at(std::move(context), std::move(at), std::move(options));
}

Task<Result<ObjectStream>> LocalTarget::get_at(Context context, Admitted at, GetOptions options) {
  const store::Key key = at.key;
  const MapSnapshot map = at.map;
  auto stream = co_await open_here(context, std::move(at), std::move(options));
  if (is_gone(stream)) CO_CHECK_OK(still_placed(*map, *maps_.current(), key));
  CO_CHECK_OK(co_await replicator_->seen(std::move(context), key));
  co_return stream;
}

Task<Result<ObjectStream>> LocalTarget::open_here(Context context,
                                                  Admitted at,
                                                  GetOptions options) {
  const bool at_rest = !renames_->concerns(at.bucket.id, at.key.key()) &&
                       !leases_->is_delegated(context, at.bucket.id, path_of(at.key.key())) &&
                       !copying_.has_older(at.map->epoch);
  if (at_rest && !at.map->placement.past.empty()) {
    auto stream = co_await handover_.read_elsewhere(context, at.map, at.bucket, at.key, options);
    if (stream) co_return std::move(*stream);
    CO_CHECK_OK(still_placed(*at.map, *maps_.current(), at.key));
  }
  CO_CHECK_OK(co_await settle_for_read(context, at.key));
  // Who has the file open reads on.
  if (!options.version) CO_CHECK_OK(check_not_moved(at.key));
  CO_TRY(const auto reference, reference_of(at.key));
  if (reference) {
    CO_TRY(ObjectInfo info, co_await store_.head(at.key, options.conditions));
    co_return co_await open_referenced(std::move(context), at.key, *reference, std::move(options),
                                       std::move(info));
  }
  co_return co_await open_object(at.key, std::move(options), at.bucket.props.verify_read);
}

std::optional<ObjectStream> LocalTarget::get_now(const Context& context,
                                                 const ObjectName& name,
                                                 const GetOptions& options) {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = readable_now(*map, context, name);
  if (bucket == nullptr) return std::nullopt;
  const store::Key key = store::make_key(bucket->id, name);
  auto stream = store_.open_now(key, options, bucket->props.verify_read);
  return all_copies_there(*bucket, key) ? std::move(stream) : std::nullopt;
}

std::optional<HotRead> LocalTarget::hot(const Context& context, const ObjectName& name) {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = readable_now(*map, context, name);
  if (bucket == nullptr) return std::nullopt;
  const store::Key key = store::make_key(bucket->id, name);
  auto found = store_.hot(key, bucket->props.verify_read);
  return all_copies_there(*bucket, key) ? std::move(found) : std::nullopt;
}

/// Asked after the read: what was published before is open until its copies are there.
bool LocalTarget::all_copies_there(const Bucket& bucket, const store::Key& key) const {
  return !is_mirrored(store_, &bucket) || replicator_->is_replicated(key);
}

const Bucket* LocalTarget::readable_now(const ClusterMap& map,
                                        const Context& context,
                                        const ObjectName& name) const {
  const Bucket* bucket = map.find_bucket(name.bucket);
  if (bucket == nullptr || !may_use(context.who, *bucket)) return nullptr;
  if (renames_->concerns(bucket->id, name.key)) return nullptr;
  if (leases_->is_delegated(context, bucket->id, path_of(name.key))) return nullptr;
  if (map.placement.settled()) return bucket;
  const bool home = handover_.is_home(map, *bucket, store::make_key(bucket->id, name));
  return home ? bucket : nullptr;
}

Task<Result<ListPage>> LocalTarget::list(Context context, BucketName name, ListOptions options) {
  CO_TRY(const Bucket bucket, admit(context, name));
  CO_CHECK_OK(co_await leases_->recall(context, bucket.id, Leases::listing(options)));
  const bool leasable = context.session != 0 && options.attributes && !bucket.implied_dirs &&
                        !placement::has_mappings(*maps_.current(), bucket.id);
  const std::uint64_t changes = leases_->changes();
  const std::string prefix = options.prefix;
  if (bucket.props.copies > 1) CO_CHECK_OK(store_.check_names_known(bucket.id));
  CO_TRY(ListPage page, co_await store_.list(bucket.id, std::move(options)));
  CO_CHECK_OK(co_await replicator_->seen_all(context, bucket.id));
  if (!leasable) co_return page;
  page.leased = leases_->grant(context, bucket.id, page.entries, changes) &&
                !renames_->touches(bucket.id, prefix);
  co_return page;
}

Task<Result<Capacity>> LocalTarget::capacity(Context) { co_return store_.capacity(); }

Task<Status> LocalTarget::sync(Context context, ObjectName name) {
  if (name.key.empty()) {
    CO_CHECK_OK(admit(context, name.bucket));
    co_return co_await store_.sync_all();
  }
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  CO_CHECK_OK(co_await store_.sync(at.key));
  co_return co_await replicator_->sync(std::move(context), at.bucket, at.key);
}

// --- changes -----------------------------------------------------------------------------------

Task<Result<ObjectInfo>> LocalTarget::set_attrs(Context context,
                                                ObjectName name,
                                                AttrChange change,
                                                Conditions conditions) {
  CO_TRY(Admitted at, admit_change(context, std::move(name)));
  if (is_version_key(at.key.key())) CO_CHECK_OK(co_await find_version(context, at, conditions));
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  conditions.unless_newer = context.unless_newer;
  const bool posix = only_posix(change);
  if (!posix || !change.xattrs.empty()) CO_CHECK_OK(co_await end_reservation(context, at.key));
  const Durability level = posix ? name_level_of(at.bucket) : at.bucket.props.write_level;
  auto telling = changing(context, at.key);
  CO_CHECK_OK(co_await telling.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(telling.begin());
  auto changed = co_await store_.set_attrs(at.key, std::move(change), std::move(conditions), level);
  if (changed) {
    CO_CHECK_OK(co_await telling.told(Replicator::Kind::kAttributes, std::move(at.ticket)));
  } else {
    CO_CHECK_OK(co_await telling.refused(changed.error()));
  }
  if (!changed && is_damage(changed.error())) healer_.suspect(at.key);
  co_return acknowledged(at, std::move(changed));
}

Task<Status> LocalTarget::remove(Context context, ObjectName name, RemoveOptions options) {
  CO_TRY(Admitted at, admit(context, name));
  if (name.key.ends_with('/')) {
    const auto marker = co_await store_.head(at.key);
    if (marker)
      CO_CHECK_OK(co_await imply_dirs(context, at));  // what is below it is still to be found
  }
  CO_TRY(at, admit_change(context, std::move(name)));
  if (is_version_key(at.key.key())) {
    co_return co_await remove_version(std::move(context), std::move(at),
                                      std::move(options.conditions));
  }
  options.conditions.unless_newer = context.unless_newer;
  const Durability level =
      options.lower_level ? name_level_of(at.bucket) : at.bucket.props.write_level;
  if (keeps_versions(at.key)) {
    options.conditions.must_exist = options.conditions.must_exist || !options.missing_ok;
    auto marker = co_await put_delete_marker(std::move(context), std::move(at),
                                             std::move(options.conditions), level);
    co_return marker ? Status{} : Status(std::move(marker).error());
  }
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  CO_TRY(const auto old, reference_of(at.key));
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(change.begin());
  Status removed = co_await store_.remove(at.key, std::move(options), level);
  if (!removed) CO_CHECK_OK(co_await change.refused(removed.error()));
  CO_CHECK_OK(std::move(removed));
  CO_CHECK_OK(co_await change.told(Replicator::Kind::kOther, std::move(at.ticket)));
  if (old) CO_CHECK_OK(after_change(co_await drop_referenced(std::move(context), at.key, *old)));
  co_return acknowledged(at, Status{});
}

}  // namespace aisfs::target
