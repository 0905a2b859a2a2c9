// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/store/log.h"
#include "node/store/log_records.h"
#include "node/target/peers.h"

namespace aisfs::target {

/// What is written of a rename of a name of this target. Versions are taken when it is decided:
/// whatever is done later, to names that have got another owner meanwhile perhaps, what came after
/// the rename stays newer than the rename.
struct RenameIntent {
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;
  using State = store::RenameIntentRecord::State;

  std::string op_id;
  State state = State::kPrepared;
  BucketId bucket;
  std::string source, destination;
  Version source_version;  // content version that moves
  Version source_meta_version;
  Version gone_version;     // of the source's tombstone
  std::string prepared_at;  // node id: the destination's owner then; empty in version 1
  std::uint64_t ino = 0;    // which object it is
  // Since version 3:
  Version taken_version;            // of the new name, as prepared_at has given it
  std::optional<PosixAttrs> posix;  // that it gets

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(op_id, state, bucket, source, destination, source_version, source_meta_version,
       gone_version);
    if (version >= 2) ar(prepared_at, ino);
    if (version >= 3) ar(taken_version, posix);
  }
};

/// What is written of a rename to a name of this target.
struct PreparedRecord {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  enum class State : std::uint8_t { kPrepared = 1, kPublished = 2, kDone = 3 };

  State state = State::kPrepared;
  std::string prepare;  // envelope of RenamePrepare
  Version version;      // meta version that the name gets; none in version 1

  template <class A>
  void fields(A& ar, std::uint16_t v) {
    ar(state, prepare);
    if (v >= 2) ar(version);
  }
};

/// The renames that this target takes part in, in memory and in a log of its own, so that a
/// restart finds them. Thread-safe. What writes blocks on the disk; what asks does not.
class RenameLog {
 public:
  using Intent = RenameIntent;
  struct Prepared {
    RenamePrepare rename;
    PreparedRecord::State state = PreparedRecord::State::kPrepared;
    Version version;
    bool is_settled = false;  // published, and nothing is left to do for the name; in memory
  };

  static Result<std::unique_ptr<RenameLog>> open(const std::string& dir);

  // As the source's owner.
  Status write(Intent intent);  // synced, except kDone and kAborted, which may be found out again
  std::optional<Intent> intent(const std::string& op_id) const;
  RenameState state_of(const std::string& op_id) const;
  /// The committed rename whose source this is.
  std::optional<Intent> committed_from(BucketId bucket, const std::string& source) const;

  // As the destination's owner.
  /// Takes the name for one rename; false when another has it. In memory; write() of kPrepared
  /// keeps it, release or write() of a later state gives it back.
  bool reserve(BucketId bucket, const std::string& destination, const std::string& op_id);
  void release(BucketId bucket, const std::string& destination, const std::string& op_id);
  bool reserved(BucketId bucket, const std::string& destination) const;
  Status write(Prepared prepared);  // kPrepared is synced
  std::optional<Prepared> prepared(const std::string& op_id) const;
  /// A published one is over here; whether the source's owner has ended it is not known yet.
  void note_settled(const std::string& op_id);
  /// The rename that is prepared for this name and not published.
  std::optional<Prepared> prepared_to(BucketId bucket, const std::string& destination) const;
  /// Names with this prefix that are reserved or prepared for.
  std::vector<std::string> destinations_below(BucketId bucket, const std::string& prefix) const;

  /// Whether a rename to this name is under way, or a committed one of it.
  bool concerns(BucketId bucket, const std::string& name) const;
  /// Whether the state of any name with this prefix is for a rename to say.
  bool touches(BucketId bucket, const std::string& prefix) const;

  // As a directory's home.
  /// Takes a directory for one operation at a time; false when it is taken. In memory.
  bool begin_dir(BucketId bucket, const std::string& path);
  void end_dir(BucketId bucket, const std::string& path);
  bool dir_is_taken(BucketId bucket, const std::string& path) const;

  /// Those that the last start gave up, once.
  std::vector<Intent> take_given_up();
  std::vector<std::string> open_intents() const;   // prepared or committed
  std::vector<std::string> open_prepared() const;  // prepared or published
  /// Whether names of this target are still to be changed by any of them.
  bool has_work() const;

 private:
  using Name = std::pair<std::uint64_t, std::string>;

  Status replay();
  Status take(const store::LogRecord& record);
  void remember(const Intent& intent);
  void remember(const Prepared& prepared);
  Status append(store::LogType type, const std::string& payload, bool synced);
  bool live(const store::LogRecord& record) const;

  UniqueFd root_;
  std::unique_ptr<store::Log> log_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Intent> intents_;
  std::map<Name, std::string> sources_;  // of committed ones -> op id
  std::map<std::string, Prepared> prepared_;
  std::map<Name, std::string> destinations_;  // of prepared ones -> op id
  std::set<Name> dirs_taken_;
  std::vector<Intent> given_up_;
};

}  // namespace aisfs::target
