// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/client/object_api.h"
#include "common/model/mountpath.h"
#include "node/store/body_digests.h"
#include "node/store/key.h"
#include "node/store/object_meta.h"
#include "node/store/slices.h"
#include "node/store/upload.h"

namespace aisfs::store {

struct StoreOptions {
  std::string cluster_uuid;
  std::string node_id;
  std::uint32_t incarnation = 1;         // of the node: part of every version
  std::uint32_t stamped = 0;             // the last that every mountpath was stamped with; 0: none
  Epoch epoch = 1;                       // set_epoch() raises it
  /// Absolute folders, each a file system or a part of one. Those that were attached since are
  /// known by the disks, and those that were detached are not used again.
  std::vector<std::string> mountpaths;
  std::uint64_t replicated = 0;          // CopyKeeper::replicated_until() before this start
  std::size_t threads = 4;               // that may block, for each mountpath
  std::size_t open_files = 4096;         // descriptors kept for hot objects
  std::uint64_t reserve_bytes = 256_MiB; // a PUT fails with no_space below; deletes go on
  std::uint64_t intent_bytes = 64_MiB;   // of each of a mountpath's two intent files, at most
  unsigned high_watermark = 90;  // percent of a mountpath in use that its administrator hears of
  unsigned out_of_space = 100;   // percent in use from which a PUT fails with no_space
};

/// Who sees to the copies of names elsewhere. Any thread, with locks of the store held.
class CopyKeeper {
 public:
  virtual ~CopyKeeper() = default;
  /// All changes of versions up to this clock have their copies.
  virtual std::uint64_t replicated_until() const = 0;
  /// A mountpath is about to be back that went when that was `until`: newer changes that it has may
  /// be nowhere else.
  virtual void look_back_from(std::uint64_t until) = 0;
};

/// What recovery found; for the log and `ais show`.
struct RecoveryReport {
  bool rebuilt = false;             // the index was made anew from files and log
  std::uint64_t replayed = 0;       // records of the log's tail
  std::uint64_t objects = 0;
  std::uint64_t removed_work = 0;   // work files of uploads that never finished
  std::uint64_t removed_stale = 0;  // files older than their tombstone
  std::uint64_t rolled_forward = 0;  // PUTs whose intent was durable before their file
  std::uint64_t damaged = 0;        // files set aside in %bad
  Duration took{};
};

/// What a target has of a name, in short. A tombstone has a meta version only.
struct NameState {
  enum class Kind : std::uint8_t { kObject = 0, kReference = 1, kTombstone = 2 };

  std::string key;  // of a version that is kept: a version key
  Kind kind = Kind::kObject;
  Version content_version, meta_version;
  std::uint64_t size = 0;

  bool operator==(const NameState&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(key, kind, content_version, meta_version, size);
  }
};

/// What a scrub has found of a name.
struct ScrubFinding {
  enum class State : std::uint8_t {
    kNone,  // there is no such name, or its bytes are elsewhere
    kGood,
    kDamaged,  // the file has not what was written
    kMissing,  // there is no file
  };

  State state = State::kNone;
  Version meta_version;     // of what was looked at
  std::uint64_t bytes = 0;  // read
  std::string why;          // what is wrong
};

struct NamePage {
  std::vector<NameState> names;  // byte-wise ascending
  bool more = false;
  std::string next;  // pass as `after`
};

/// A whole object on its way to another target.
struct ObjectCopy {
  StoredMeta meta;
  std::unique_ptr<BodySource> body;
};

/// What a removed name that is a reference leaves behind: kKeep when another name refers to the
/// content now (a rename).
enum class RemovedContent : std::uint8_t { kDrop, kKeep };

/// The objects of one target: files, log and index on each of its mountpaths.
///
/// Operations are called on a shard of the runtime and resume there; they are safe to run at the
/// same time from all shards. What is in memory or in the index answers without leaving the
/// thread; the rest takes one hop to the mountpath's pool. Mutations of one name happen one after
/// the other, each as a new version; `level` in their options is the level that counts
/// (`lower_level` is the caller's business). Errors beside those named: io, no_space, corrupt,
/// not_ready before open() has finished.
class Store {
 public:
  Store(StoreOptions options, Clock& clock);
  ~Store();  // as close(), without the clean marker if it was not called
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Takes the mountpaths (a second process is refused: busy), recovers, and is ready when it
  /// returns; stamps them with the incarnation. One that it had before and that is not there, or was
  /// set back to what it was before the start that has stamped it, is missing from then on, unless
  /// it is the last one. Blocks: not on an io thread. invalid_argument names a disk that belongs to
  /// another node or cluster, unsupported a file system that lacks something, each with the remedy.
  Status open();
  /// Finishes the commits in flight and marks the index clean. Call when no operation runs.
  void close();
  std::vector<RecoveryReport> recovery() const;

  /// The ceiling of the version clock that all mountpaths have saved. Rises while the store is
  /// open, every ten seconds or so.
  std::uint64_t saved_ceiling() const;

  /// Versions given from now on carry `epoch`; a lower one is ignored.
  void set_epoch(Epoch epoch);
  Result<Version> next_version();
  /// All versions that are given from now on are newer.
  Version last_version() const;

  // --- reading ---------------------------------------------------------------------------------

  /// From the index, inline; only metadata too long for it is fetched from the file. not_found,
  /// precondition_failed, not_modified.
  Task<Result<ObjectInfo>> head(Key key, Conditions conditions = {});

  /// The body keeps the version that it belongs to readable until it goes, whatever happens to the
  /// name. With options.version: that version, also when it has been replaced since, as long as
  /// somebody still reads it or it was read a moment ago; then precondition_failed.
  Task<Result<ObjectStream>> open_object(Key key, GetOptions options, VerifyRead verify);

  /// As open_object, for an object that was read lately and is verified as `verify` asks: inline.
  /// nullopt in every other case, errors among them.
  std::optional<ObjectStream> open_now(const Key& key, const GetOptions& options, VerifyRead verify);

  /// As open_now for a whole object. A small one is loaded into memory by the first call for its
  /// version, if its pages are resident.
  std::optional<HotRead> hot(const Key& key, VerifyRead verify);

  /// From the index, k-way over the mountpaths. not_ready rather than a short list. Without
  /// options.versions what is kept of names is not among them, here and in any_below.
  Task<Result<ListPage>> list(BucketId bucket, ListOptions options);
  /// Anything at all under the prefix?
  Result<bool> any_below(BucketId bucket, std::string_view prefix);

  // --- mutations -------------------------------------------------------------------------------

  std::unique_ptr<Upload> begin_put(Key key, PutOptions options, ExpectedChecksums expected = {});

  /// Writes all of `body` as the new version: begin_put, write_from, commit.
  Task<Result<ObjectInfo>> put(Key key,
                               PutOptions options,
                               ExpectedChecksums expected,
                               BodySource& body);

  /// As put, of an object whose bytes lie in slices already: `content` refers to them, and `sums`
  /// is what was computed of them. options.size is set. For buckets without versions.
  Task<Result<ObjectInfo>> put_sliced(Key key,
                                      PutOptions options,
                                      BodyDigests::Sums sums,
                                      Reference content);

  Task<Result<ObjectInfo>> set_attrs(Key key,
                                     AttrChange change,
                                     Conditions conditions,
                                     Durability level);

  /// Takes the name without content (options.posix and ino count): no file is made, the log has it,
  /// so it survives the process and perhaps not a power loss. already_exists.
  Task<Result<ObjectInfo>> reserve(Key key, PutOptions options);

  /// not_found unless options.missing_ok.
  Task<Status> remove(Key key,
                      RemoveOptions options,
                      Durability level,
                      RemovedContent content = RemovedContent::kDrop);

  /// The new version is complete before it becomes visible; readers of the base keep the base.
  Task<Result<ObjectInfo>> patch(Key key, PatchOptions options, BodySource& body);

  /// Both names on this node. Cloned where the file system can, else copied.
  Task<Result<ObjectInfo>> copy_local(Key from, Key to, CopyOptions options);

  /// Both names on this node, one bucket. Moves no bytes on one mountpath; between two the
  /// destination becomes a reference.
  Task<Result<ObjectInfo>> rename_local(Key from, Key to, RenameOptions options, Durability level);

  // --- references ------------------------------------------------------------------------------

  /// Gives the content of `key` a second name behind its content version, which references know.
  /// The same again changes nothing. not_ready while the content lies elsewhere.
  Task<Result<Reference>> detach_content(Key key, Conditions conditions, Durability level);
  /// Makes `key` a reference to content that lies elsewhere; `info` is what HEAD says of it, with
  /// its meta version. precondition_failed, too, when what is here is as new.
  Task<Result<ObjectInfo>> put_reference(Key key,
                                         Reference content,
                                         ObjectInfo info,
                                         Conditions conditions,
                                         Durability level);
  /// What `key` refers to; nullopt for a plain object.
  Result<std::optional<Reference>> resolve(const Key& key);
  /// Content on this node, by reference.
  Task<Result<ObjectStream>> open_content(BucketId bucket,
                                          BucketName name,
                                          Reference content,
                                          ByteRange range,
                                          VerifyRead verify);
  /// No name refers to it any more. Nothing to drop is success.
  Task<Status> drop_content(BucketId bucket, BucketName name, Reference content);

  // --- versions of a name (versions.cc); their keys are those of common/model/version_key.h ------

  struct FoundVersion {
    Key key;  // where it lies: the plain key for the current version
    Version content_version;
  };
  /// Where the version lies that a version key names. Inline. not_found.
  Result<FoundVersion> find_version(const Key& version);
  /// Whether anything is kept of the key beside its current version.
  Result<bool> has_kept_versions(const Key& key);
  /// Keeps the current version, if there is one, as key.versioning says, and leaves a delete
  /// marker, whose info is the result.
  Task<Result<ObjectInfo>> put_delete_marker(Key key, Conditions conditions, Durability level);
  /// Removes one version, a delete marker perhaps, for good. When what was the newest goes and a
  /// version is newest then, that becomes the current one. not_found.
  Task<Status> remove_version(Key version, Conditions conditions, Durability level);

  // --- copies for other targets, and from them (transfer.cc) -------------------------------------

  /// Of a plain key: what is here under it, and what is kept of it; newest first. not_ready while
  /// may_lack(). Inline.
  Result<std::vector<NameState>> states_of(const Key& key);
  /// The same, whatever a mountpath that is out of reach may have.
  Result<std::vector<NameState>> states_here(const Key& key);
  /// A plain object, as it lies here. not_found, unsupported for a reference.
  Task<Result<ObjectCopy>> open_copy(Key key);
  /// A name that is a reference, as it lies here; without the content. not_found for all others.
  Task<Result<StoredMeta>> reference_here(Key key);
  /// Publishes another target's object with the versions and the level that it has. False, and
  /// nothing changed, when what is here is as new. bad_checksum when `body` is not what `meta` says
  /// (meta.hashes.root 0: nobody knows).
  Task<Result<bool>> adopt(Key key, StoredMeta meta, BodySource& body);
  /// The same for a reservation.
  Task<Result<bool>> adopt_reference(Key key, StoredMeta meta);
  /// These attributes of an object or reservation whose content is here. False, and nothing
  /// changed, when it is not.
  Task<Result<bool>> adopt_attributes(Key key, ObjectInfo info, Durability level);
  /// The same for a tombstone of this version.
  Task<Result<bool>> adopt_tombstone(Key key, Version version, Durability level);
  /// This copy of this meta version is needed here no more: it goes without a tombstone, durable
  /// with the next sync_all(). Nothing when something else is here.
  Task<Status> forget(Key key, Version meta_version);
  /// A tombstone of this version goes, because nothing is left that it buries: no older copy, on
  /// whatever disk, and no request that could make one. True when nothing is here of the name then.
  Task<Result<bool>> forget_tombstone(Key key, Version version);

  // --- slices of objects that lie on several targets (slices.cc) ---------------------------------

  /// A slice of `content` as `body` sends it (slice_file.h), as durable as `level` says when it
  /// returns. bad_checksum when its blocks are not what its tail says (lent ones are: LentSource),
  /// corrupt or invalid_argument when it is another slice.
  Task<Status> put_slice(BucketId bucket,
                         BucketName name,
                         Reference content,
                         unsigned index,
                         Durability level,
                         BodySource& body);
  /// Which slices of each of them lie here. One hop.
  Task<Result<std::vector<ec::SliceSet>>> slices_here(BucketId bucket,
                                                      BucketName name,
                                                      std::vector<Reference> contents);
  /// The lowest of these slices that lies here, a part of its blocks. not_found when none
  /// does, corrupt for one that does not say what it is. Its blocks are for the reader to verify.
  Task<Result<OpenSlice>> open_slice(
      BucketId bucket, BucketName name, Reference content, ec::SliceSet wanted, ByteRange range);
  /// Nothing to drop is success.
  Task<Status> drop_slices(BucketId bucket,
                           BucketName name,
                           Reference content,
                           ec::SliceSet slices);
  /// Slices that lie on a mountpath, in no order that means anything. What is none goes to %bad.
  /// One hop.
  Task<Result<SlicePage>> slices_on(std::size_t mountpath,
                                    BucketId bucket,
                                    std::string after,
                                    std::size_t limit);
  /// Reads all of a slice and compares it with what it says of itself. corrupt: it went to %bad.
  Task<Status> verify_slice(BucketId bucket, BucketName name, Reference content, unsigned index);

  // --- scrub (scrub.cc) --------------------------------------------------------------------------

  /// Asked before so many bytes are read; its error ends the scrub.
  using Pace = std::function<Task<Status>(std::uint64_t bytes)>;
  /// Reads the object's file from the disk, past all that is believed of it, and compares it with
  /// its hashes and with the index. What is found damaged is compared at each read from now on.
  /// Nothing is changed, but that a damaged copy of a good file on another mountpath is made again.
  /// With idle priority, where the disk's scheduler knows it.
  Task<Result<ScrubFinding>> scrub(Key key, Pace pace = nullptr);
  /// Puts another target's copy of the very version that is here in the place of a file that is
  /// damaged or gone, which goes to %bad with its name beside it: at no time the name has no file.
  /// False, and nothing changed, when another version is here. bad_checksum when `body` is not what
  /// the index knows.
  Task<Result<bool>> replace_damaged(Key key, StoredMeta meta, BodySource& body);

  struct NamesOptions {
    std::string after;  // keys greater than this
    std::size_t limit = 1000;
    bool tombstones = false;  // these, and nothing else
  };
  std::size_t mountpath_count() const;
  /// Buckets of which something was ever written on this mountpath.
  std::vector<std::pair<BucketId, BucketName>> buckets_on(std::size_t mountpath) const;
  /// What lies on a mountpath, versions that are kept among them. One hop.
  Task<Result<NamePage>> names_on(std::size_t mountpath, BucketId bucket, NamesOptions options);

  // --- multipart uploads: survive a restart ------------------------------------------------------

  Task<Result<std::string>> create_upload(Key key, PutOptions options, std::string initiator);
  Task<Result<UploadPart>> put_part(Key key,
                                    std::string upload,
                                    std::uint32_t number,
                                    ExpectedChecksums expected,
                                    BodySource& body);
  /// What becomes of the object that the parts make, if it is not published here: takes it and
  /// returns what complete_upload returns, this time and when it is asked again.
  using Publish = std::function<Task<Result<ObjectInfo>>(PutOptions options, BodySource& body)>;
  Task<Result<ObjectInfo>> complete_upload(Key key,
                                           std::string upload,
                                           std::vector<CompletedPart> parts,
                                           Conditions conditions,
                                           Publish publish = nullptr);
  Task<Status> abort_upload(Key key, std::string upload);
  Task<Result<PartList>> list_parts(Key key,
                                    std::string upload,
                                    std::uint32_t after,
                                    std::uint32_t limit);
  Task<Result<UploadList>> list_uploads(BucketId bucket,
                                        std::string prefix,
                                        std::string after_key,
                                        std::string after_id,
                                        std::uint32_t limit);

  // --- mountpaths (mountpath_ops.cc)
  // ---------------------------------------------------------------
  //
  // What a mountpath held that has failed, is missing or was taken out with its names on it is not
  // known: a name that it may have the newest state of, and that is not known here, is answered
  // not_ready, never not_found, and so is a listing of a bucket that it may have anything of. What
  // is written whole is taken, and so is a removal with missing_ok: they are newer. When it is
  // back, what it has counts by its version, as everything does.

  /// What is emptied before it goes.
  enum class Emptying : std::uint8_t { kFirst, kSkip };

  /// A new mountpath (an empty folder), or one that is back. Returns when it counts; names move to
  /// it in the background. already_exists; busy while its last operations have not ended, or others
  /// take too long; invalid_argument and unsupported as open().
  Task<Status> attach(std::string path);
  /// One that was disabled, has failed or is missing is back. not_found for one that is not known.
  Task<Status> enable(std::string path);
  /// Nothing is placed on it from now on. kFirst: names move to the others in the background, then
  /// it is closed. kSkip: it is closed at once, and what it holds is out of reach. It stays known
  /// until it is enabled. not_found; precondition_failed for the last one that is active.
  Task<Status> disable(std::string path, Emptying emptying);
  /// As disable, for good: the target has it no more.
  Task<Status> detach(std::string path, Emptying emptying);
  /// The disk is lost for good: what only it held is not_found from now on, and it may not come
  /// back with it. not_found; busy for one that is in use.
  Task<Status> give_up_mountpath(std::string path);

  /// Names of these buckets lie on so many mountpaths from now on, on all if there are fewer; in
  /// the background for those that are there. Costs nothing when it is so already.
  Task<Status> keep_copies(std::map<BucketId, std::uint32_t> wanted);
  std::uint32_t copies_kept(BucketId bucket) const;
  /// What was changed of the key and its versions comes to all its mountpaths, as durable as it is.
  /// False when its bytes lie elsewhere, where a rename has left them: there are no copies of them
  /// until it becomes a plain object. Without room for a copy there is none until there is.
  Task<Result<bool>> copy_to_disks(Key plain);
  /// Names that are to become plain objects for that. Each once, unless it is found again.
  std::vector<Key> take_references();
  /// replace_damaged() by a copy on another mountpath; false, too, when none is good.
  Task<Result<bool>> heal_from_disks(Key key, Version meta_version);

  /// True while a mountpath that is out of reach may have a newer state of the name than is known
  /// here, or a file of it could not be read when an index was made anew. Whoever has one from
  /// elsewhere and knows that it is the newest may adopt() it: then it is known.
  bool may_lack(const Key& key) const;
  /// Its owner, or all who hold it, say that this is its newest version: what is here counts, if it
  /// is as new. Version(): they have none.
  void confirm(const Key& key, Version newest);
  /// Before requests; null at the end. It outlives all that is done here.
  void set_copy_keeper(CopyKeeper* keeper);
  /// Whether that is so of any name.
  bool lacks_anything() const;
  /// not_ready when a listing of the bucket would be without names whose files cannot be read any
  /// more, and which others may have.
  Status check_names_known(BucketId bucket) const;
  /// These, of all buckets.
  std::vector<std::pair<BucketId, std::string>> lost_names() const;
  /// How often a mountpath has got out of reach since the start. What was published before the last
  /// time may not be here any more.
  std::uint64_t losses() const;
  /// Changes whenever mountpaths come or go: a walk over all of them from 0 on has seen all names
  /// if it was the same afterwards.
  std::uint64_t mountpath_turn() const;
  /// Whether the disk of the last mountpath has failed. It stays in use, for what it still does.
  bool is_failing() const;

  StorageInfo storage() const;

  /// Background work until cancelled: moves names to the mountpaths that they are placed on. One at
  /// a time, on one shard.
  Task<void> run();
  /// One round of it; true when every name lies at its place.
  Task<Result<bool>> settle_names();

  // --- the whole ---------------------------------------------------------------------------------

  Result<Capacity> capacity();
  /// Objects and bytes of one bucket.
  Result<Capacity> usage(BucketId bucket);
  /// The bucket is gone: its objects and uploads go, its id never comes back.
  Task<Status> destroy_bucket(BucketId bucket);
  /// Makes everything acknowledged so far survive power loss (the mount's fsync of what was
  /// published at a lower level).
  Task<Status> sync(Key key);
  Task<Status> sync_all();

 private:
  Task<Result<ScrubFinding>> scrub_first(Key key, Pace pace);

  std::unique_ptr<class Engine> engine_;
  std::unique_ptr<class Resilver> resilver_;
};

}  // namespace aisfs::store
