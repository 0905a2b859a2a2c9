// SPDX-License-Identifier: MIT
#include "common/lmdb/env.h"

#include <lmdb.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "common/lmdb/table.h"
#include "common/lmdb/txn.h"

namespace aisfs::lmdb {
namespace {

Errc errc_of(int code) {
  switch (code) {
    case MDB_NOTFOUND: return Errc::not_found;
    case MDB_KEYEXIST: return Errc::already_exists;
    case MDB_BAD_VALSIZE: return Errc::invalid_argument;
    case MDB_MAP_FULL:
    case MDB_DBS_FULL: return Errc::no_space;
    case MDB_READERS_FULL: return Errc::overloaded;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH: return Errc::corrupt;
    default: return code > 0 ? errc_of_errno(code) : Errc::io;
  }
}

// A renewed transaction saves its memory and the search for a reader's slot.
constexpr std::size_t kIdleMax = 16;

/// A write transaction that is dropped unless it was committed.
struct RawTxn {
  MDB_txn* txn = nullptr;
  ~RawTxn() {
    if (txn != nullptr) mdb_txn_abort(txn);
  }
  int commit() { return mdb_txn_commit(std::exchange(txn, nullptr)); }
};

}  // namespace

Error lmdb_error(std::string_view doing, int code) {
  return {errc_of(code), std::string(doing) + ": " + mdb_strerror(code)};
}

Result<std::unique_ptr<Env>> Env::open(EnvOptions options) {
  if (::mkdir(options.path.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("mkdir " + options.path);
  }
  MDB_env* raw = nullptr;
  if (const int rc = mdb_env_create(&raw); rc != 0) return lmdb_error("lmdb", rc);
  std::unique_ptr<Env> env(new Env(raw));
  mdb_env_set_mapsize(raw, options.map_bytes);
  mdb_env_set_maxdbs(raw, options.tables);
  mdb_env_set_maxreaders(raw, options.readers);
  // NOTLS: a read transaction belongs to its object, not to its thread. NORDAHEAD: lookups are
  // random. Never WRITEMAP: without it pages reach the kernel by write(2), so what was committed
  // survives kill -9 also without sync, and a stray pointer cannot damage the file.
  const unsigned flags =
      MDB_NOTLS | MDB_NORDAHEAD | (options.sync == Sync::kNone ? MDB_NOSYNC : 0u);
  if (const int rc = mdb_env_open(raw, options.path.c_str(), flags, 0600); rc != 0) {
    return lmdb_error("open " + options.path, rc);
  }
  env->guard_maps();
  int dead = 0;
  mdb_reader_check(raw, &dead);  // slots of processes that were killed
  return env;
}

Env::~Env() { close(); }

void Env::close() {
  const std::unique_lock map(map_);
  if (env_ == nullptr) return;
  {
    const std::lock_guard lock(idle_mutex_);
    for (MDB_txn* txn : idle_) mdb_txn_abort(txn);
    idle_.clear();
  }
  mdb_env_close(std::exchange(env_, nullptr));
  tables_guard_.release();
  lock_guard_.release();
}

/// Where the maps are the kernel knows alone.
void Env::guard_maps() {
  const char* path = nullptr;
  mdb_env_get_path(env_, &path);
  const std::string tables = std::string(path) + "/data.mdb",
                    lock = std::string(path) + "/lock.mdb";
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const bool is_lock = line.ends_with(lock);
    unsigned long begin = 0, end = 0;
    if (!is_lock && !line.ends_with(tables)) continue;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2) continue;
    MapGuard& guard = is_lock ? lock_guard_ : tables_guard_;
    guard.watch(reinterpret_cast<const void*>(begin), end - begin,
                is_lock ? Instead::kZeros : Instead::kEmptyLeaf);
  }
}

Status Env::health() const {
  const bool failed = tables_guard_.failed() || lock_guard_.failed();
  return failed ? Error(Errc::io, "the disk has failed under the tables") : Status();
}

MDB_txn* Env::take_idle() const {
  const std::lock_guard lock(idle_mutex_);
  if (idle_.empty()) return nullptr;
  MDB_txn* const txn = idle_.back();
  idle_.pop_back();
  return txn;
}

void Env::give_back(MDB_txn* txn) const {
  mdb_txn_reset(txn);  // it holds no pages any more
  {
    const std::lock_guard lock(idle_mutex_);
    if (idle_.size() < kIdleMax) return idle_.push_back(txn);
  }
  mdb_txn_abort(txn);
}

Result<ReadTxn> Env::read() const {
  std::shared_lock map(map_);
  if (env_ == nullptr) return Error(Errc::not_ready, "the tables have been closed");
  if (tables_guard_.failed()) return health().error();
  MDB_txn* txn = take_idle();
  if (txn != nullptr && mdb_txn_renew(txn) != 0) mdb_txn_abort(std::exchange(txn, nullptr));
  if (txn == nullptr) {
    const int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    if (rc != 0) return lmdb_error("begin", rc);
  }
  return ReadTxn(*this, txn, std::move(map));
}

ReadTxn::~ReadTxn() {
  if (txn_ != nullptr) env_.give_back(txn_);
}

Status Env::write(const std::function<Status(WriteTxn&)>& change) {
  for (;;) {
    {
      const std::shared_lock map(map_);
      CHECK_OK(health());  // LMDB does not look where pages that are none lead it
      RawTxn raw;
      if (const int rc = mdb_txn_begin(env_, nullptr, 0, &raw.txn); rc != 0) {
        return lmdb_error("begin", rc);
      }
      WriteTxn txn(raw.txn);
      auto done = change(txn);
      if (done) {
        CHECK_OK(health());  // what it has changed may come from a page that is none
        const int rc = raw.commit();
        if (rc == 0) return {};
        done = txn.failed("commit", rc);
      }
      if (!txn.needs_growth()) return done;
    }
    CHECK_OK(grow());
  }
}

Error WriteTxn::failed(std::string_view doing, int code) {
  needs_growth_ = needs_growth_ || code == MDB_MAP_FULL;
  return lmdb_error(doing, code);
}

Status Env::grow() {
  const std::unique_lock map(map_);
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  tables_guard_.release();
  lock_guard_.release();
  const int rc = mdb_env_set_mapsize(env_, info.me_mapsize * 2);
  guard_maps();
  return rc == 0 ? Status{} : Status(lmdb_error("grow the map", rc));
}

Result<Table> Env::table(const std::string& name) {
  Table table;
  const auto open = [&](WriteTxn& txn) -> Status {
    MDB_dbi dbi = 0;
    if (const int rc = mdb_dbi_open(txn.raw(), name.c_str(), MDB_CREATE, &dbi); rc != 0) {
      return lmdb_error("open table " + name, rc);
    }
    table = Table(dbi);
    return {};
  };
  CHECK_OK(write(open));
  return table;
}

Status Env::sync() {
  const int rc = mdb_env_sync(env_, 1);
  return rc == 0 ? Status{} : Status(lmdb_error("sync", rc));
}

std::size_t Env::key_bytes_max() const {
  return static_cast<std::size_t>(mdb_env_get_maxkeysize(env_));
}

}  // namespace aisfs::lmdb
