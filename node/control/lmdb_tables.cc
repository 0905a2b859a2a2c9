// SPDX-License-Identifier: MIT
#include "node/control/lmdb_tables.h"

#include <sys/stat.h>

namespace aisfs::control {
namespace {

constexpr unsigned kReadersMax = 512;

Error lmdb_error(std::string_view doing, int rc) {
  const Errc code = rc == MDB_MAP_FULL || rc == ENOSPC ? Errc::no_space
                    : rc == MDB_CORRUPTED || rc == MDB_INVALID || rc == MDB_PAGE_NOTFOUND
                        ? Errc::corrupt
                        : Errc::io;
  return Error(code, "meta store: " + std::string(doing) + ": " + ::mdb_strerror(rc));
}

MDB_val to_val(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // LMDB does not write to its input
}
std::string_view to_view(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

struct CloseCursor {
  void operator()(MDB_cursor* cursor) const { ::mdb_cursor_close(cursor); }
};
using Cursor = std::unique_ptr<MDB_cursor, CloseCursor>;

Result<Cursor> open_cursor(MDB_txn* txn, MDB_dbi table) {
  MDB_cursor* cursor = nullptr;
  if (const int rc = ::mdb_cursor_open(txn, table, &cursor)) return lmdb_error("cursor", rc);
  return Cursor(cursor);
}

}  // namespace

Result<LmdbTxn> LmdbTxn::begin(MDB_env* env, unsigned flags) {
  MDB_txn* txn = nullptr;
  if (const int rc = ::mdb_txn_begin(env, nullptr, flags, &txn)) return lmdb_error("begin", rc);
  return LmdbTxn(txn);
}

Result<std::optional<std::string_view>> LmdbTxn::get(MDB_dbi table, std::string_view key) {
  MDB_val k = to_val(key);
  MDB_val v{};
  const int rc = ::mdb_get(txn_.get(), table, &k, &v);
  if (rc == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (rc != 0) return lmdb_error("get", rc);
  return std::optional<std::string_view>(to_view(v));
}

Status LmdbTxn::put(MDB_dbi table, std::string_view key, std::string_view value) {
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  if (const int rc = ::mdb_put(txn_.get(), table, &k, &v, 0)) return lmdb_error("put", rc);
  return {};
}

Status LmdbTxn::remove(MDB_dbi table, std::string_view key) {
  MDB_val k = to_val(key);
  const int rc = ::mdb_del(txn_.get(), table, &k, nullptr);
  if (rc != 0 && rc != MDB_NOTFOUND) return lmdb_error("remove", rc);
  return {};
}

Status LmdbTxn::scan(MDB_dbi table,
                     std::string_view begin,
                     std::string_view end,
                     const Visit& visit) {
  TRY(const auto cursor, open_cursor(txn_.get(), table));
  MDB_val k = to_val(begin);
  MDB_val v{};
  int rc = ::mdb_cursor_get(cursor.get(), &k, &v, begin.empty() ? MDB_FIRST : MDB_SET_RANGE);
  while (rc == 0 && (end.empty() || to_view(k) < end) && visit(to_view(k), to_view(v))) {
    rc = ::mdb_cursor_get(cursor.get(), &k, &v, MDB_NEXT);
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return lmdb_error("scan", rc);
  return {};
}

Status LmdbTxn::scan_back(MDB_dbi table, const Visit& visit) {
  TRY(const auto cursor, open_cursor(txn_.get(), table));
  MDB_val k{};
  MDB_val v{};
  int rc = ::mdb_cursor_get(cursor.get(), &k, &v, MDB_LAST);
  while (rc == 0 && visit(to_view(k), to_view(v))) {
    rc = ::mdb_cursor_get(cursor.get(), &k, &v, MDB_PREV);
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return lmdb_error("scan", rc);
  return {};
}

Status LmdbTxn::commit() {
  if (const int rc = ::mdb_txn_commit(txn_.release())) return lmdb_error("commit", rc);
  return {};
}

Result<LmdbEnv> LmdbEnv::open(const std::string& dir,
                              const std::vector<std::string>& names,
                              std::size_t map_bytes) {
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir " + dir);
  MDB_env* raw = nullptr;
  if (const int rc = ::mdb_env_create(&raw)) return lmdb_error("create", rc);
  LmdbEnv env;
  env.env_.reset(raw);
  ::mdb_env_set_maxdbs(raw, static_cast<MDB_dbi>(names.size()));
  ::mdb_env_set_maxreaders(raw, kReadersMax);
  ::mdb_env_set_mapsize(raw, map_bytes);
  // A reader's slot belongs to its transaction: any thread of the pool may hold one.
  if (const int rc = ::mdb_env_open(raw, dir.c_str(), MDB_NOTLS, 0600)) {
    return lmdb_error("open " + dir, rc);
  }
  TRY(auto txn, LmdbTxn::begin(raw, 0));
  for (const auto& name : names) {
    MDB_dbi table = 0;
    if (const int rc = ::mdb_dbi_open(txn.txn_.get(), name.c_str(), MDB_CREATE, &table)) {
      return lmdb_error("table " + name, rc);
    }
    env.tables_.push_back(table);
  }
  CHECK_OK(txn.commit());
  return env;
}

}  // namespace aisfs::control
