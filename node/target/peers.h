// SPDX-License-Identifier: MIT
// What one target asks of the others.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/client/object_api.h"
#include "node/store/object_meta.h"
#include "node/store/store.h"
#include "node/target/slice_peers.h"
#include "node/target/streamed_copy.h"

namespace aisfs::target {

/// How far a rename between two targets is. Only the source's owner decides.
enum class RenameState : std::uint8_t {
  kUnknown = 0,    // never begun, or given up and forgotten: as kAborted
  kPrepared = 1,   // the old names are valid
  kCommitted = 2,  // the new names are valid
  kAborted = 3,
};

/// Asks the destination's owner to make `destination` a reference, when told to.
struct RenamePrepare {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::string op_id;
  std::string source_owner;  // node id: who knows the state
  BucketName bucket;
  BucketId bucket_id;
  std::string source, destination;  // keys
  store::Reference content;
  ObjectInfo info;
  bool no_replace = false;
  Conditions destination_conditions;
  Durability level = Durability::kFull;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(op_id, source_owner, bucket, bucket_id, source, destination, content, info, no_replace,
       destination_conditions, level);
  }
};

/// Of names that are offered.
enum class Pace : std::uint8_t {
  kCourteous = 0,  // clients go first (courtesy.h)
  kAtOnce = 1,     // they wait for it
};

/// What a target has of a name.
struct NameThere {
  struct Copy {
    store::StoredMeta meta;
    std::string bytes;
  };
  /// Only of a name with one state.
  static constexpr std::uint64_t kCopyMax = 64 << 10;

  std::vector<store::NameState> states;
  std::optional<Copy> copy;  // of that state
};

/// Implemented over the intra-cluster data listener (node/front/cluster). `node` is a target's id.
/// Errors beside those named: unreachable, timed_out, stale_map. Calls with the node's own id are
/// served by itself.
class Peers {
 public:
  virtual ~Peers() = default;

  /// The whole cluster, each operation at its owner.
  virtual ObjectApi& cluster() = 0;
  /// The same by the names under which objects lie, whatever directories were renamed.
  virtual ObjectApi& places() = 0;
  virtual SlicePeers& slices() = 0;

  /// Makes a directory's rename part of the cluster map; both prefixes end in '/', and nothing is
  /// below `to`. Returns when all active targets know it, this one among them. overloaded: too many
  /// are being rewritten.
  virtual Task<Status> rename_prefix(Context context,
                                     BucketId bucket,
                                     std::string from,
                                     std::string to) = 0;
  /// Lets names lie below directories without markers in the bucket (Bucket::implied_dirs).
  virtual Task<Status> allow_implied_dirs(Context context, BucketId bucket) = 0;
  /// Takes a mapping whose place is empty out of the map; success too while others need it.
  virtual Task<Status> end_mapping(Context context, PrefixMapping mapping) = 0;

  /// already_exists, precondition_failed, busy (another rename to this name is under way). After
  /// success the name waits for finish_rename. The same again changes nothing.
  /// The meta version that the new name gets.
  virtual Task<Result<Version>> prepare_rename(Context context,
                                               std::string node,
                                               RenamePrepare rename) = 0;
  /// Publishes or forgets what was prepared; not_found when nothing was. The same again is success
  /// and answers with what is there.
  virtual Task<Result<ObjectInfo>> finish_rename(Context context,
                                                 std::string node,
                                                 std::string op_id,
                                                 RenameState state) = 0;
  virtual Task<Result<RenameState>> rename_state(Context context,
                                                 std::string node,
                                                 std::string op_id) = 0;

  /// Returns when the target lists all names in the directory whose making began before, and makes
  /// no more without looking for the directory again (ClosedDirs). `marker` is the marker's place.
  virtual Task<Status> close_dir(Context context,
                                 std::string node,
                                 BucketName bucket,
                                 std::string marker) = 0;

  /// Of the directory's home: not_found when there is none, busy while it is made, removed or
  /// renamed.
  virtual Task<Status> check_dir(Context context,
                                 std::string node,
                                 BucketName bucket,
                                 std::string marker) = 0;

  /// Content on that target, by reference; not_found when it has gone.
  virtual Task<Result<ObjectStream>> open_content(Context context,
                                                  std::string node,
                                                  BucketName bucket,
                                                  store::Reference content,
                                                  ByteRange range) = 0;
  // --- names that are placed elsewhere by now (handover.h, rebalancer.h) -----------------------

  /// What that target has of a name (Store::states_of), when no rename of it is under way there.
  virtual Task<Result<std::vector<store::NameState>>> name_states(Context context,
                                                                  std::string node,
                                                                  BucketName bucket,
                                                                  std::string key) = 0;
  /// The same together with the copy, where it is a plain object of up to NameThere::kCopyMax bytes
  /// without other versions. What cannot be read is left to fetch_copy.
  virtual Task<Result<NameThere>> find_name(Context context,
                                            std::string node,
                                            BucketName bucket,
                                            std::string key) = 0;
  /// The object or reservation as it lies there, a reference with the bytes that it refers to.
  /// stale_map when it has changed since.
  virtual Task<Result<store::ObjectCopy>> fetch_copy(Context context,
                                                     std::string node,
                                                     BucketName bucket,
                                                     store::NameState state) = 0;
  /// These copies, each of this very meta version, are needed there no more. At kFull no power loss
  /// brings them back once it returns.
  virtual Task<Status> forget_copies(Context context,
                                     std::string node,
                                     BucketName bucket,
                                     std::vector<store::NameState> states,
                                     Durability level) = 0;
  /// To the owner of names that this target has: he takes what is newer than his. One answer for
  /// each: whether it is of no use here any more.
  virtual Task<Result<std::vector<bool>>> offer_names(Context context,
                                                      std::string node,
                                                      BucketName bucket,
                                                      std::vector<store::NameState> states,
                                                      Pace pace) = 0;

  /// To the owner, by one who was away: whether each is older than what others have (or unknown:
  /// an error). Nothing is moved.
  virtual Task<Result<std::vector<bool>>> compare_names(Context context,
                                                        std::string node,
                                                        BucketName bucket,
                                                        std::string from,
                                                        std::vector<store::NameState> states) = 0;

  // --- copies at the other holders of a name (replicator.h), by its owner --------------------------

  /// What of these states that target lacks, or has older; tombstones among them it takes at once.
  /// `whole`: they are all that there is of one name, and what else is kept of it there goes.
  virtual Task<Result<std::vector<bool>>> lacks_copies(Context context,
                                                       std::string node,
                                                       BucketName bucket,
                                                       std::vector<store::NameState> states,
                                                       bool whole) = 0;
  /// As durable as meta.level says when it returns. Something newer there is success too.
  virtual Task<Status> take_copy(Context context,
                                 std::string node,
                                 BucketName bucket,
                                 store::StoredMeta meta,
                                 BodySource& body) = 0;
  /// take_copy of an object whose metadata come at the end: `body` has the object's bytes, then
  /// encode_copy_end().
  virtual Task<Status> stream_copy(Context context,
                                   std::string node,
                                   StreamedCopy copy,
                                   BodySource& body) = 0;
  /// False when that target does not have this content.
  virtual Task<Result<bool>> take_attributes(Context context,
                                             std::string node,
                                             BucketName bucket,
                                             std::string key,
                                             ObjectInfo info) = 0;
  /// Of tombstones, which are old enough: for each whether that target, which holds the name, has
  /// nothing of it any more (tombstones.h).
  virtual Task<Result<std::vector<bool>>> forget_tombstones(
      Context context,
      std::string node,
      BucketName bucket,
      std::vector<store::NameState> states) = 0;
  /// Whether that target may still have copies of what lay on a disk that the asking one has lost
  /// (restorer.h).
  virtual Task<Result<bool>> has_copies_for_me(Context context, std::string node) = 0;
  /// Makes that target's copy of the name survive power loss.
  virtual Task<Status> sync_copy(Context context,
                                 std::string node,
                                 BucketName bucket,
                                 std::string key) = 0;

  /// Nothing to drop is success.
  virtual Task<Status> drop_content(Context context,
                                    std::string node,
                                    BucketName bucket,
                                    store::Reference content) = 0;
};

}  // namespace aisfs::target
