// SPDX-License-Identifier: MIT
#pragma once
#include <memory>

#include "common/client/object_api.h"
#include "node/store/key.h"
#include "node/store/object_meta.h"

namespace aisfs::store {

/// What a copy of another target's object replaces.
enum class Adopt : std::uint8_t {
  kOlder,    // what is older here, or nothing
  kDamaged,  // the same version, whose file is damaged or gone: Store::replace_damaged
};

/// A new version of an object on its way to the disk. Nothing of it is visible before commit()
/// has succeeded; the destructor aborts what was not committed.
///
///   auto upload = store.begin_put(key, std::move(options), std::move(expected));
///   CO_CHECK_OK(co_await upload->write_from(body));
///   co_return co_await upload->commit();
///
/// One coroutine uses it. Must not outlive the store. Bytes are gathered in memory up to 1 MiB, so a
/// small object costs one hop to the disk; after that they go in blocks of 1 MiB on the
/// mountpath's pool, where they are hashed too.
class Upload {
 public:
  virtual ~Upload() = default;

  /// Free space of the buffer, never empty. Fill a front part of it, then call filled().
  virtual MutableBytes space() = 0;
  /// Takes `count` bytes that were put into space().
  virtual Task<Status> filled(std::size_t count) = 0;
  /// Copies `bytes` in.
  virtual Task<Status> write(ConstBytes bytes) = 0;
  /// Reads `body` to its end. invalid_argument when its size is not the promised one.
  virtual Task<Status> write_from(BodySource& body) = 0;

  /// Bytes taken so far.
  virtual std::uint64_t size() const = 0;

  /// prepare, then publish: conditions are checked under the key's lock, the version is given
  /// there. bad_checksum, invalid_argument (size), precondition_failed and its kin, no_space, io:
  /// nothing was published, the old version is intact.
  virtual Task<Result<ObjectInfo>> commit() = 0;

  /// The first half of commit(), for an owner that has to make the version durable elsewhere too:
  /// the body is on this disk and synced as the level asks; nothing is visible yet.
  virtual Task<Status> prepare() = 0;
  /// The second half; commit() is prepare() and publish().
  virtual Task<Result<ObjectInfo>> publish() = 0;
  /// In the place of publish(): Store::adopt.
  virtual Task<Result<bool>> adopt(StoredMeta meta, Adopt what = Adopt::kOlder) = 0;
  /// Forgets the body. The destructor does the same, in the background.
  virtual Task<void> abort() = 0;
};

}  // namespace aisfs::store
