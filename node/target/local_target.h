// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "common/async/clock.h"
#include "common/client/object_api.h"
#include "common/disk/io_pool.h"
#include "node/store/store.h"
#include "node/target/changes.h"
#include "node/target/closed_dirs.h"
#include "node/target/courtesy.h"
#include "node/target/handover.h"
#include "node/target/healer.h"
#include "node/target/leases.h"
#include "node/target/peers.h"
#include "node/target/replicator.h"
#include "node/target/restorer.h"
#include "node/target/slicer.h"

namespace aisfs::target {

class CopyStreams;
class RenameLog;
struct RenameIntent;

struct LocalTargetOptions {
  std::string node_id;
  std::string state_dir;  // absolute, on a disk of this node; made if missing
  /// Whether this node may still speak for its names: asked again before a change is published and
  /// before it is acknowledged. Null: always.
  std::function<Status()> may_serve;
  /// Slicer::Deps.
  Duration slice_readers = std::chrono::seconds(60);
  Duration slice_youth = std::chrono::minutes(10);
};

/// The objects of this node's disks behind the seam of the cluster. Serves the names that it is
/// asked for; who owns them the caller has looked up (Router), and list and lookup answer for
/// this target alone. Here is the one check of who may do what with a bucket.
///
/// Thread-safe: operations run on their caller's shard. `store`, `maps`, `peers` and `clock`
/// outlive it, and it outlives its operations.
class LocalTarget final : public ObjectApi, private SlicedNames {
 public:
  /// Reads the state of renames that a crash interrupted. Blocks: not on an io thread.
  static Result<std::unique_ptr<LocalTarget>> open(
      LocalTargetOptions options, store::Store& store, MapSource& maps, Peers& peers, Clock& clock);
  ~LocalTarget() override;

  /// Background work until cancelled: ends interrupted renames and turns references back into plain
  /// objects. One at a time, on one shard.
  Task<void> run();
  /// One round of it; how many renames, references and mappings of this target's are left.
  Task<Result<std::size_t>> settle_all(Context context);

  /// Waits until no change goes on that was admitted by a map older than `epoch`: what a new map
  /// moves is at rest then. False at the deadline; what still goes on will fail before it
  /// publishes.
  Task<bool> wait_for_older_changes(Epoch epoch, Deadline deadline) {
    return changes_.wait_for_older(epoch, deadline);
  }
  /// Whether one is, or a copy for another owner: a name may still come here that is others' by it.
  bool has_older_changes(Epoch epoch) const {
    return changes_.has_older(epoch) || copying_.has_older(epoch);
  }

  /// Whether renames between targets that this one has a part in are not at their end.
  bool has_open_renames() const;

  Leases& leases() { return *leases_; }
  /// Returns when no mount has a directory to itself; timed_out at the deadline.
  Task<Status> recall_all(const ClusterMap& map, Deadline deadline);
  /// A mount asks for a directory, or gives it back (common/wire/leases.h).
  Status delegate(const Context& context, wire::DelegateRequest request);

  // --- the other targets' calls (Peers of theirs) ----------------------------------------------

  Task<Result<Version>> prepare_rename(Context context, RenamePrepare rename);
  Task<Result<ObjectInfo>> finish_rename(Context context, std::string op_id, RenameState state);
  RenameState rename_state(const std::string& op_id) const;
  Task<Result<ObjectStream>> open_content(Context context,
                                          BucketName bucket,
                                          store::Reference content,
                                          ByteRange range);
  Task<Status> drop_content(Context context, BucketName bucket, store::Reference content);
  Task<Status> close_dir(Context context, BucketName bucket, std::string marker);
  Task<Status> check_dir(Context context, BucketName bucket, std::string marker);

  Task<Result<std::vector<store::NameState>>> name_states(Context context,
                                                          BucketName bucket,
                                                          std::string key);
  Task<Result<NameThere>> find_name(Context context, BucketName bucket, std::string key);
  Task<Result<store::ObjectCopy>> fetch_copy(Context context,
                                             BucketName bucket,
                                             store::NameState state);
  Task<Status> forget_copies(Context context,
                             BucketName bucket,
                             std::vector<store::NameState> states,
                             Durability level);
  Task<Result<std::vector<bool>>> offer_names(Context context,
                                              BucketName bucket,
                                              std::vector<store::NameState> states,
                                              Pace pace);
  Task<Result<std::vector<bool>>> compare_names(Context context,
                                                BucketName bucket,
                                                std::string from,
                                                std::vector<store::NameState> states);

  // Of an owner, for the copies that it keeps here (replicas.cc); `from` is its node id.
  Task<Result<std::vector<bool>>> lacks_copies(Context context,
                                               std::string from,
                                               BucketName bucket,
                                               std::vector<store::NameState> states,
                                               bool whole);
  Task<Status> take_copy(Context context,
                         std::string from,
                         BucketName bucket,
                         store::StoredMeta meta,
                         BodySource& body);
  Task<Status> take_streamed(Context context,
                             std::string from,
                             StreamedCopy copy,
                             BodySource& body);
  Task<Result<bool>> take_attributes(
      Context context, std::string from, BucketName bucket, std::string key, ObjectInfo info);
  Task<Result<std::vector<bool>>> forget_tombstones(Context context,
                                                    std::string from,
                                                    BucketName bucket,
                                                    std::vector<store::NameState> states);
  Task<Status> sync_copy(Context context, BucketName bucket, std::string key);

  // Of slices of objects, for owners of names, one's own among them (slicing.cc).
  Task<Status> take_slice(Context context,
                          BucketName bucket,
                          store::Reference content,
                          unsigned index,
                          Durability level,
                          BodySource& body);
  Task<Result<std::vector<ec::SliceSet>>> slices_here(Context context,
                                                      BucketName bucket,
                                                      std::vector<store::Reference> contents);
  Task<Result<store::OpenSlice>> open_slice(Context context,
                                            BucketName bucket,
                                            store::Reference content,
                                            ec::SliceSet wanted,
                                            ByteRange range);
  Task<Status> drop_slices(Context context,
                           BucketName bucket,
                           store::Reference content,
                           ec::SliceSet slices);
  Task<Result<std::vector<SliceVerdict>>> judge_slices(Context context,
                                                       BucketName bucket,
                                                       std::string from,
                                                       std::vector<store::HeldSlice> slices);
  Task<Status> miss_slices(Context context, BucketName bucket, std::vector<std::string> keys);

  /// The copies elsewhere of this target's names.
  Replicator& replicator() { return *replicator_; }
  Slicer& slicer() { return slicer_; }
  Healer& healer() { return healer_; }
  Restorer& restorer() { return *restorer_; }

  // --- ObjectApi ---------------------------------------------------------------------------------

  Version last_version() const override;
  Task<Result<ObjectInfo>> head(Context, ObjectName, Conditions) override;
  Task<Result<ObjectStream>> get(Context, ObjectName, GetOptions) override;
  std::optional<ObjectStream> get_now(const Context&,
                                      const ObjectName&,
                                      const GetOptions&) override;
  std::optional<HotRead> hot(const Context&, const ObjectName&) override;
  Task<Result<ObjectInfo>> put(
      Context, ObjectName, PutOptions, ExpectedChecksums, BodySource&) override;
  Task<Result<ObjectInfo>> set_attrs(Context, ObjectName, AttrChange, Conditions) override;
  Task<Status> remove(Context, ObjectName, RemoveOptions) override;
  Task<Result<ObjectInfo>> rename(Context, ObjectName, ObjectName, RenameOptions) override;
  Task<Result<ObjectInfo>> copy(Context, ObjectName, ObjectName, CopyOptions) override;
  Task<Result<ObjectInfo>> patch(Context, ObjectName, PatchOptions, BodySource&) override;
  Task<Result<ListPage>> list(Context, BucketName, ListOptions) override;
  Task<Result<LookupReply>> lookup(Context, BucketName, std::string) override;
  Task<Result<ObjectInfo>> make_dir(Context, BucketName, std::string, MakeDirOptions) override;
  Task<Status> remove_dir(Context, BucketName, std::string) override;
  Task<Status> rename_dir(Context, BucketName, std::string, std::string, bool) override;
  Task<Result<Capacity>> capacity(Context) override;
  Task<Status> sync(Context, ObjectName) override;
  Task<Result<std::string>> create_upload(Context, ObjectName, PutOptions) override;
  Task<Result<UploadPart>> put_part(
      Context, ObjectName, std::string, std::uint32_t, ExpectedChecksums, BodySource&) override;
  Task<Result<ObjectInfo>> complete_upload(
      Context, ObjectName, std::string, std::vector<CompletedPart>, Conditions) override;
  Task<Status> abort_upload(Context, ObjectName, std::string) override;
  Task<Result<PartList>> list_parts(
      Context, ObjectName, std::string, std::uint32_t, std::uint32_t) override;
  Task<Result<UploadList>> list_uploads(
      Context, BucketName, std::string, std::string, std::string, std::uint32_t) override;

 private:
  LocalTarget(
      LocalTargetOptions options, store::Store& store, MapSource& maps, Peers& peers, Clock& clock);

  /// The bucket of a name that nothing has to be waited for to read; null says nothing.
  const Bucket* readable_now(const ClusterMap& map,
                             const Context& context,
                             const ObjectName& name) const;
  /// The bucket, if the caller may use it. stale_map when the request's names were placed by
  /// another map than the one known here.
  Result<Bucket> admit(const Context& context, const BucketName& name) const;
  /// admit and validate the key.
  struct Admitted {
    Bucket bucket;
    store::Key key;
    MapSnapshot map;
    ChangesUnderWay::Ticket ticket;
  };
  Result<Admitted> admit(const Context& context, ObjectName name) const;
  /// admit for an operation that changes something; the ticket lasts as long as it.
  Result<Admitted> admit_change(const Context& context, ObjectName name);
  /// Lets names lie below directories without markers in the bucket. The request goes on with the
  /// map that says so. The caller has no ticket.
  Task<Status> imply_dirs(Context& context, const Admitted& at);
  bool is_told_elsewhere(const Bucket& bucket, const ObjectName& name) const;
  Task<Result<bool>> any_below(Context context, const Bucket& bucket, std::string marker);
  /// What is known of the directory of a new name, if that has to have a marker.
  struct Parent {
    std::string marker;  // its place; "": there is none to lose
    ClosedDirs::View seen;
  };
  /// Before a new name: not_found when the directory that a file system has seen (`has_parent`) has
  /// gone. Else the directory need not have a marker: imply_dirs.
  Task<Result<Parent>> check_parent(Context& context, const Admitted& at, bool has_parent);
  /// Whether the requester has the directory of this marker to himself, so that it is still there.
  bool is_kept(const Context& context, const Admitted& at, std::string_view marker);
  /// While the name is made; stale_map (tried again) when the directory was closed since.
  Result<ClosedDirs::Ticket> make_in(const Admitted& at, const Parent& parent);
  /// Before publishing: not_found when the bucket is gone by now, stale_map when the name may have
  /// another place than when it was admitted, or had one in between, or may_serve's error.
  Status check_placed(const Admitted& at) const;
  /// A change of one name, from before anybody can see it until it is acknowledged.
  class Change {
   public:
    Change(LocalTarget& self, const Context& context, store::Key key);
    ~Change();
    /// Before the change: recalls what others have been delegated.
    Task<Status> alone() { return telling_.alone(); }
    /// Right before it is published: readers wait from now on until all copies are there.
    /// not_ready when there are too few targets for them. `version` as in Replicator::begin.
    Status begin(Version version = {});
    /// After it: all copies are there, who believes what was read before has heard, nobody else has
    /// the old name. Copies may take until a target that has died is away: `ticket` ends before, so
    /// that the map which says so is not held up; what is acknowledged is checked after that.
    /// timed_out when a disk has failed meanwhile. `streams` as in Replicator::replicate.
    Task<Status> told(Replicator::Kind kind = Replicator::Kind::kOther,
                      ChangesUnderWay::Ticket ticket = {},
                      CopyStreams* streams = nullptr);
    /// told() without the copies, for which copied() is called when another change has sent them.
    Task<Status> heard();
    /// Of what has changed nothing: returns when what the refusal says is at all holders.
    Task<Status> refused(const Error& why);
    void copied() { copies_.done(); }

   private:
    LocalTarget& self_;
    const Context context_;
    const store::Key key_;
    const Epoch since_;  // of the placement by which it was known who has the name
    Leases::Change telling_;
    Replicator::Change copies_;
    Version before_;            // of the name
    std::uint64_t losses_ = 0;  // of the store, then
  };
  Change changing(const Context& context, const store::Key& key);
  Result<Version> version_of(const store::Key& key) const;
  bool all_copies_there(const Bucket& bucket, const store::Key& key) const;
  /// Lets the requester believe what is read of a name of this target's alone from now on.
  void lease(const Context& context, const ClusterMap& map, BucketId bucket, std::string_view path);
  /// The result of a change, or that it may have happened and cannot be acknowledged: this node is
  /// fenced, or the name is another's by now.
  template <class R>
  R acknowledged(const Admitted& at, R result) const {
    Status may = result.ok() ? check_acknowledged(at) : Status();
    return may ? std::move(result) : R(std::move(may).error());
  }
  Status check_acknowledged(const Admitted& at) const;
  /// The node id of the owner; not_ready when no target is active.
  Result<std::string> owner_of(const ObjectName& name) const;

  // mirroring.cc
  /// To the other holders of a name that is about to get this object; null when it is not worth it.
  std::unique_ptr<CopyStreams> streams_of(const Context& context,
                                          const Admitted& at,
                                          const PutOptions& options);
  /// Puts the object here and at the others; returns when `change` is told. `ticket` is what
  /// options.before_publish sets.
  Task<Result<ObjectInfo>> put_streamed(CopyStreams& streams,
                                        const Admitted& at,
                                        PutOptions options,
                                        ExpectedChecksums expected,
                                        BodySource& body,
                                        Change& change,
                                        ChangesUnderWay::Ticket& ticket);
  Task<Result<ObjectInfo>> publish_streamed(CopyStreams& streams,
                                            const Admitted& at,
                                            PutOptions options,
                                            ExpectedChecksums expected,
                                            BodySource& body,
                                            Change& change,
                                            ChangesUnderWay::Ticket& ticket);

  // replicas.cc
  struct Copying {
    ChangesUnderWay::Ticket ticket;
    MapSnapshot map;
    Bucket bucket;
  };
  Result<Copying> admit_copy(const Context& context, const BucketName& bucket);
  Status check_copy_from(const ClusterMap& map,
                         const Bucket& bucket,
                         const std::string& from,
                         const ObjectName& name) const;
  void confirm_copy(const store::Key& key, Version version);
  Task<Status> forget_kept(const Bucket& bucket, const std::vector<store::NameState>& states);

  // copies.cc
  /// Of one name that is offered: true when all that others have of it is here.
  Task<Result<bool>> take_offer(
      Context context, MapSnapshot map, const Bucket& bucket, store::NameState state, Pace pace);
  Status check_not_held(const Bucket& bucket, const ObjectName& name) const;
  Result<bool> has_state(const store::Key& key, const store::NameState& state) const;

  // uploads.cc
  Task<Result<ObjectInfo>> send_completed(Context context,
                                          ObjectName name,
                                          PutOptions put,
                                          BodySource& body);

  // rename.cc
  Task<Result<ObjectInfo>> rename_away(Context context,
                                       Admitted from,
                                       ObjectName to,
                                       std::string to_owner,
                                       RenameOptions options,
                                       Durability level);
  /// Brings a committed rename to its end at both sides; what failed is tried again later.
  Task<Result<ObjectInfo>> roll_forward(Context context, std::string op_id);
  /// That until it succeeds or the request has no time left.
  Task<Result<ObjectInfo>> finish_by(Context context, std::string op_id, ObjectName to);
  Task<Result<ObjectInfo>> publish_at_destination(Context context,
                                                  const RenameIntent& intent,
                                                  BucketName bucket);
  Task<Status> bury_source(Context context, const Bucket& bucket, const RenameIntent& intent);
  Task<void> drop_link(const store::Key& key, const RenameIntent& intent);
  Task<Result<ObjectInfo>> place_renamed(Context context,
                                         const store::Key& key,
                                         const store::Reference& content,
                                         ObjectInfo info);
  bool changed_since(const store::Key& key, Version version) const;
  Task<Status> told_or_handed_over(Change& change, const store::Key& key);
  Task<Result<ObjectInfo>> publish_prepared(Context context,
                                            const store::Key& key,
                                            const RenamePrepare& rename,
                                            Version version,
                                            std::optional<store::Reference> replaced);
  Task<Status> settle_published(Context context, store::Key key, store::Reference content);
  Task<bool> source_is_over(Context context, const RenamePrepare& rename);
  Task<Status> settle_intent(Context context, std::string op_id);
  Task<Status> settle_prepared(Context context, std::string op_id);
  /// Before a read: what is newer elsewhere comes here, and of a prepared rename the fate is asked.
  Task<Status> settle_for_read(Context context, const store::Key& key);
  /// Before a change: that, and no rename to this name is under way.
  using Need = Handover::Need;
  Task<Status> settle_for_write(Context context, const store::Key& key, Need need = Need::kChange);
  Task<Status> bring_home(Context context,
                          const store::Key& key,
                          Need need,
                          Courtesy::Turn* turn = nullptr);
  Task<Status> ask_for_rename(Context context, const store::Key& key);
  Task<Status> wait_for_rename(Context context, const store::Key& key);
  Task<Status> end_committed(Context context, const store::Key& key);
  Status check_unreserved(const store::Key& key) const;
  /// not_found for a source of a committed rename: the name is gone, whatever is still there.
  Status check_not_moved(const store::Key& key) const;

  // references.cc
  /// What the name refers to; nullopt for a plain object and for no object.
  Result<std::optional<store::Reference>> reference_of(const store::Key& key) const;
  Result<std::vector<std::string>> places_of_content(const store::Key& key,
                                                     const store::Reference& content) const;
  Task<Result<ObjectStream>> open_content_at(Context context,
                                             std::string node,
                                             BucketName bucket,
                                             store::Reference content,
                                             ByteRange range);
  Task<Result<ObjectStream>> open_content_anywhere(Context context,
                                                   const store::Key& key,
                                                   store::Reference content,
                                                   ByteRange range);
  Task<Result<ObjectStream>> open_copy_elsewhere(Context context,
                                                 const store::Key& key,
                                                 ByteRange range);
  Task<Result<ObjectStream>> open_referenced(Context context,
                                             store::Key key,
                                             store::Reference content,
                                             GetOptions options,
                                             ObjectInfo info);
  /// More than the log keeps well is to be known of the name: an empty file is made of it.
  Task<Status> end_reservation(Context context, store::Key key);
  Task<Status> drop_referenced(Context context, store::Key key, store::Reference content);
  Task<Status> make_plain(Context context, store::Key key);
  Task<void> make_all_plain(Context context);
  Task<Status> remove_renamed(Context context, const store::Key& key, store::Reference content);
  /// Makes the name a plain object again; nothing for one that is.
  Task<Status> materialise(Context context, store::Key key);
  // versions.cc
  /// head and get of a version, wherever it lies.
  Task<Result<ObjectInfo>> head_version(Context context, Admitted at, Conditions conditions);
  Task<Result<ObjectStream>> get_version(Context context, Admitted at, GetOptions options);
  /// Before a version is changed: the key that it lies under.
  Task<Status> find_version(Context context, Admitted& at, Conditions& conditions);
  Task<Status> remove_version(Context context, Admitted at, Conditions conditions);
  Task<Result<ObjectInfo>> put_delete_marker(Context context,
                                             Admitted at,
                                             Conditions conditions,
                                             Durability level);
  /// Before the current version is kept: it becomes a plain object, if it is none.
  Task<Status> make_keepable(Context context, store::Key key);
  /// not_ready if it is none.
  Status check_keepable(const store::Key& key) const;
  /// The name was renamed away: what is kept of it has a delete marker on top.
  Task<Status> mark_renamed(Context context, store::Key from);
  Task<Result<ObjectStream>> get_at(Context context, Admitted at, GetOptions options);
  Task<Result<ObjectStream>> open_here(Context context, Admitted at, GetOptions options);

  // healing.cc
  /// As Store::open_object; what is damaged is healed first, or before the body goes on.
  Task<Result<ObjectStream>> open_object(store::Key key, GetOptions options, VerifyRead verify);
  Task<Result<ObjectStream>> open_healed(store::Key key, GetOptions options, VerifyRead verify);
  /// As Store::open_copy; what is damaged is healed soon.
  Task<Result<store::ObjectCopy>> open_copy(store::Key key);

  // slicing.cc
  Task<Result<ObjectStream>> open_sliced(
      Context context, store::Key key, store::Reference content, ObjectInfo info, ByteRange range);
  /// Whether the object is split while it arrives.
  bool splits_at_once(const Admitted& at, const PutOptions& options) const;
  /// store_.put of such an object.
  Task<Result<ObjectInfo>> put_sliced(Context context,
                                      const Admitted& at,
                                      PutOptions options,
                                      ExpectedChecksums expected,
                                      BodySource& body);
  /// Before the name's content is given to another name: in one piece, as long as this is held.
  Task<Result<store::KeyLocks::Guard>> keep_whole(Context context, const store::Key& key);
  /// The object may be one that is to be split.
  void split_soon(const Admitted& at, const ObjectInfo& info);
  Task<Status> settle_name(Context context, store::Key key) override;
  Task<Status> seen(Context context, store::Key key) override;
  Task<Result<ObjectStream>> open_whole(store::Key key, GetOptions options) override;
  Task<Status> become_sliced(Context context,
                             store::Key key,
                             ObjectInfo seen,
                             store::Reference content,
                             Epoch since) override;
  Task<Status> become_whole(Context context, store::Key key) override;
  Result<Version> version_of_slices(Version whole) const;

  // directories.cc
  Task<Status> close_everywhere(Context context, const Admitted& at);
  Task<Result<LookupReply>> whats_there(Context context,
                                        BucketName name,
                                        std::string path,
                                        bool seen_free);
  Task<Status> check_free(Context context, ObjectName marker, std::string path, bool no_replace);
  /// The mappings of the map whose place's home is here.
  std::vector<PrefixMapping> own_mappings() const;
  /// Moves what lies at the place of a mapping to its home, and ends it.
  Task<Status> rewrite(Context context, PrefixMapping mapping);

  const LocalTargetOptions options_;
  store::Store& store_;
  MapSource& maps_;
  Peers& peers_;
  Clock& clock_;
  disk::IoPool io_{{.threads = 2}};  // of what is in state_dir
  mutable Courtesy courtesy_{io_.executor(), clock_};
  std::unique_ptr<RenameLog> renames_;
  store::KeyLocks finishing_, rolling_;  // renames to names of this target, and of its names
  std::unique_ptr<Leases> leases_;
  Handover handover_;
  Healer healer_;
  std::unique_ptr<Restorer> restorer_;  // never null
  Slicer slicer_;
  std::unique_ptr<Replicator> replicator_;
  ChangesUnderWay changes_, copying_;  // the latter: copies for other owners
  ClosedDirs closed_dirs_;
  Notifier work_;  // for run()
};

}  // namespace aisfs::target
