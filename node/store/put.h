// SPDX-License-Identifier: MIT
// A new version of an object on its way to its name; what uploads, patches, copies and multipart
// uploads have in common.
#pragma once
#include "node/store/body_digests.h"
#include "node/store/engine.h"
#include "node/store/object_file.h"
#include "node/store/upload.h"

namespace aisfs::store {

/// Bytes that go to a work file. Its functions block: on the mountpath's pool.
struct Body {
  Body(bool want_md5, const ExpectedChecksums& wanted) : digests(want_md5, wanted) {}

  /// Hashes and writes.
  Status add(Mountpath& mp, ConstBytes bytes, Durability level);
  /// Writes `rest` and ends the hashes; bad_checksum. The second call does nothing.
  Status finish(Mountpath& mp);
  /// A large body does not wait for, nor burden, the group's barrier with its data.
  Status sync_if_large();
  Status sync();
  /// The disk begins to write what is there; waits for nothing, promises nothing.
  void kick();

  std::optional<BucketId> spares_of;  // whose spare files it may be written into
  std::size_t expected = 0;           // its size, as far as it is known before the first add
  std::optional<WorkFile> work;       // made by the first add
  std::uint64_t stale = 0;            // bytes in it that are another object's
  std::uint64_t size = 0;        // written so far
  std::uint64_t kicked = 0;      // of it, handed to writeback
  ConstBytes rest;               // still in the owner's memory
  ConstBytes whole;              // all of it, when finish() found all of it there
  BodyDigests digests;
  BodyDigests::Sums sums;        // once finished
  bool finished = false;
  std::vector<std::uint64_t> part_sizes;  // of a multipart upload
};

/// Publishes a body under a name: file, log, index.
class PutMutation final : public Mutation {
 public:
  PutMutation(Engine& e, const Key& k, Body& b, const std::optional<IndexRecord>& there)
      : PutMutation(e, e.mountpath_of(k), k, b, there) {}
  /// Not at the name's place.
  PutMutation(
      Engine& e, Mountpath& m, const Key& k, Body& b, const std::optional<IndexRecord>& there)
      : engine(e), mp(m), key(k), dir(dir_of(k.name.bucket)), body(b), base(there) {}

  Status stage() override;
  Status publish() override;
  void settle() override;

  Status announce(std::string xattr);
  Status take_effect();
  bool is_durable() const { return barrier_after || intent.valid(); }
  Result<bool> take_name(std::optional<bool> there);
  bool swap_in(const std::string& path);

  Engine& engine;
  Mountpath& mp;
  const Key& key;
  const std::string dir;
  Body& body;
  const std::optional<IndexRecord>& base;
  StoredMeta meta;
  std::optional<std::uint64_t> expected_root;  // of the body's hashes; else bad_checksum
  bool base_is_kept = false;  // under another name: its file is not to be written over
  bool base_is_bad = false;   // the same version, damaged, here or elsewhere: it goes to %bad
  bool swapped = false;
  IntentLog::Ticket intent;  // valid: once the first barrier has passed, it happens in any case
};

/// What a PUT of this body, which is finished, makes of what is there (null: nothing): all but what
/// differs each time.
ObjectInfo info_of_put(const PutOptions& options,
                       const Body& body,
                       std::uint64_t size,
                       const ObjectInfo* base);

/// Adds what follows from the bytes, where the options do not say it.
void add_sums(ObjectInfo& info, const BodyDigests::Sums& sums);

/// What a PUT of this body makes of what is there (null: nothing), as `version`; without the sums
/// of the body.
StoredMeta meta_of_put(const Key& key,
                       const PutOptions& options,
                       const Body& body,
                       const IndexRecord* base,
                       std::uint64_t size,
                       Version version,
                       std::int64_t now_ns);

/// With those that are to be computed for the metadata.
ExpectedChecksums all_checksums(ExpectedChecksums expected, const PutOptions& options);

/// Takes the lock, checks the conditions, gives the version and publishes. `options` and `body`
/// outlive the task.
Task<Result<ObjectInfo>> publish_body(Engine& engine,
                                      Key key,
                                      const PutOptions& options,
                                      Body& body,
                                      std::uint64_t size);

/// As publish_body, for one who holds the lock, has checked the conditions and knows what is
/// there. All arguments outlive the task.
Task<Result<ObjectInfo>> publish_over(Engine& engine,
                                      const Key& key,
                                      const PutOptions& options,
                                      Body& body,
                                      std::uint64_t size,
                                      const std::optional<IndexRecord>& base);

/// Takes the lock and publishes a copy of another target's object, unless `what` it is to replace
/// is not what is there.
Task<Result<bool>> publish_copy(
    Engine& engine, Key key, StoredMeta meta, Body& body, Adopt what = Adopt::kOlder);

/// Reads until `into` is full or the source has ended; the count.
Task<Result<std::size_t>> fill(BodySource& source, MutableBytes into);

/// What has been written of the body goes on on this mountpath: the name's place has changed since.
Task<Status> bring_body(Body& body, Mountpath& to);

/// Copies the first `size` bytes between any two file systems. Blocks.
Status copy_bytes(int from, int to, std::uint64_t size);

/// Makes the body's work file hold what `from` holds: shares the extents where the file system
/// can, else copies. Blocks.
Status copy_into(Body& body, Mountpath& mp, int from, std::uint64_t size);

}  // namespace aisfs::store
