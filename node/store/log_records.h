// SPDX-License-Identifier: MIT
// What the records of %log hold, each in its envelope.
#pragma once
#include <cstdint>
#include <string>

#include "common/model/object.h"
#include "common/wire/envelope.h"
#include "node/store/object_meta.h"

namespace aisfs::store {

/// The name is gone. A file of this key whose versions are not newer is garbage.
struct TombstoneRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string key;
  Version version;

  bool operator==(const TombstoneRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, key, version);
  }
};

/// The name is a reference: `xattr` and `side` are an EncodedMeta with `reference` set.
struct ReferenceRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string xattr, side;

  bool operator==(const ReferenceRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(xattr, side);
  }
};

/// A version of the key is about to appear (or its metadata to change): after kill -9 the file is
/// looked at and the index told what is there. `path` is relative to the mountpath.
struct PublishIntentRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string key;
  Version content_version, meta_version;
  bool escaped = false;
  std::string work_path;  // "" when it has no name or the change is in place

  bool operator==(const PublishIntentRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, key, content_version, meta_version, escaped, work_path);
  }
};

/// A PUT that is acknowledged before its file is durable under its name: recovery finishes it. The
/// content follows the envelope, or is in a work file that a barrier made durable with the record.
struct StagedPutRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string key;
  Version content_version;
  std::string work_path;       // "" when the content follows
  std::uint64_t content_bytes = 0;
  std::string xattr, side;     // an EncodedMeta, when the content follows

  bool operator==(const StagedPutRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, key, content_version, work_path, content_bytes, xattr, side);
  }
};

/// The PUT of this version failed after it was staged: nobody finishes it.
struct StagedCancelledRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;
  std::string key;
  Version content_version;

  bool operator==(const StagedCancelledRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket, key, content_version);
  }
};

/// In %intent: the effects of all records before `begin` are durable in the files.
struct IntentsBeginRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint64_t begin = 0;  // an Lsn

  bool operator==(const IntentsBeginRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(begin);
  }
};

/// A rename by its source's owner. kCommitted is the instant at which everyone sees it.
struct RenameIntentRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  enum class State : std::uint8_t { kPrepared = 1, kCommitted = 2, kDone = 3, kAborted = 4 };

  std::string op_id;
  State state = State::kPrepared;
  BucketId bucket;
  std::string source, destination;
  Version source_version;       // content version that moves
  Version source_meta_version;
  Version destination_version;  // meta version that the destination gets

  bool operator==(const RenameIntentRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(op_id, state, bucket, source, destination, source_version, source_meta_version,
       destination_version);
  }
};

/// Everything of this bucket id is garbage.
struct BucketDestroyedRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  BucketId bucket;

  bool operator==(const BucketDestroyedRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(bucket);
  }
};

/// A directory's rename, name by name. Not written any more: the cluster map has mappings for it.
struct DirRenameRecord {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  enum class State : std::uint8_t { kBegun = 1, kDone = 2 };

  std::string op_id;
  State state = State::kBegun;
  BucketId bucket;
  std::string from, to;  // both end in '/'

  bool operator==(const DirRenameRecord&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(op_id, state, bucket, from, to);
  }
};

}  // namespace aisfs::store
