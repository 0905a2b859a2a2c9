// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/lmdb/map_guard.h"

struct MDB_env;
struct MDB_txn;

namespace aisfs::lmdb {

class WriteTxn;
class ReadTxn;
class Table;

/// What a commit waits for.
enum class Sync : std::uint8_t {
  kNone,  // the page cache: survives kill -9, not power loss
  kFull,  // the disk
};

struct EnvOptions {
  std::string path;                      // a folder; made if missing
  std::uint64_t map_bytes = 1ull << 32;  // address space to begin with; doubled when full
  std::uint32_t tables = 8;
  std::uint32_t readers = 512;
  Sync sync = Sync::kFull;
};

/// One LMDB environment; only one Env of a path in a process.
///
/// Thread-safe. Any number of ReadTxn at a time, one WriteTxn (a second waits). Transactions are
/// short: a map that must grow waits for all of them.
class Env {
 public:
  /// corrupt when the files are no LMDB environment.
  static Result<std::unique_ptr<Env>> open(EnvOptions options);
  ~Env();  // no transaction is left
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  /// A snapshot for reading.
  Result<ReadTxn> read() const;

  /// Runs `change` in a write transaction and commits it. When the map is full the transaction is
  /// dropped, the map doubled and `change` called again: it must not keep state from a run that
  /// was dropped. Its error drops the transaction and is returned.
  Status write(const std::function<Status(WriteTxn&)>& change);

  /// Opens or makes a table; once at start, before other threads use the environment.
  Result<Table> table(const std::string& name);

  /// Brings everything committed to the disk.
  Status sync();

  /// io once the disk has failed under the map: what was read since is worth nothing.
  Status health() const;

  /// Lets go of the files, once the transactions under way have ended: later ones fail (not_ready).
  /// Nobody writes any more.
  void close();

  std::size_t key_bytes_max() const;  // 511
  MDB_env* raw() const { return env_; }

 private:
  friend class ReadTxn;
  explicit Env(MDB_env* env) : env_(env) {}
  Status grow();
  void guard_maps();
  MDB_txn* take_idle() const;
  void give_back(MDB_txn* txn) const;

  MDB_env* env_;                   // changed under map_; null: closed
  MapGuard tables_guard_, lock_guard_;  // the lock file is mapped, too
  mutable std::shared_mutex map_;  // shared: a transaction lives; exclusive: the map is moved
  mutable std::mutex idle_mutex_;
  mutable std::vector<MDB_txn*> idle_;  // guarded by idle_mutex_: reset, to be renewed
};

/// An Error for an LMDB return code.
Error lmdb_error(std::string_view doing, int code);

}  // namespace aisfs::lmdb
