// SPDX-License-Identifier: MIT
#include "common/lmdb/table.h"

#include <lmdb.h>

namespace aisfs::lmdb {
namespace {

MDB_val val_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}
std::string_view view_of(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

Result<std::optional<std::string_view>> get_raw(MDB_txn* txn, unsigned dbi, std::string_view key) {
  MDB_val k = val_of(key), v{};
  const int rc = mdb_get(txn, dbi, &k, &v);
  if (rc == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (rc != 0) return lmdb_error("get", rc);
  return std::optional(view_of(v));
}

}  // namespace

Result<std::optional<std::string_view>> Table::get(const ReadTxn& txn,
                                                   std::string_view key) const {
  return get_raw(txn.raw(), dbi_, key);
}
Result<std::optional<std::string_view>> Table::get(const WriteTxn& txn,
                                                   std::string_view key) const {
  return get_raw(txn.raw(), dbi_, key);
}

Status Table::put(WriteTxn& txn, std::string_view key, std::string_view value) const {
  MDB_val k = val_of(key), v = val_of(value);
  const int rc = mdb_put(txn.raw(), dbi_, &k, &v, 0);
  return rc == 0 ? Status{} : Status(txn.failed("put", rc));
}

Result<bool> Table::erase(WriteTxn& txn, std::string_view key) const {
  MDB_val k = val_of(key);
  const int rc = mdb_del(txn.raw(), dbi_, &k, nullptr);
  if (rc == MDB_NOTFOUND) return false;
  if (rc != 0) return txn.failed("delete", rc);
  return true;
}

Status Table::clear(WriteTxn& txn) const {
  const int rc = mdb_drop(txn.raw(), dbi_, 0);
  return rc == 0 ? Status{} : Status(txn.failed("clear", rc));
}

Result<std::uint64_t> Table::size(const ReadTxn& txn) const {
  MDB_stat stat{};
  const int rc = mdb_stat(txn.raw(), dbi_, &stat);
  if (rc != 0) return lmdb_error("stat", rc);
  return static_cast<std::uint64_t>(stat.ms_entries);
}

Result<Cursor> Cursor::open_raw(MDB_txn* txn, unsigned dbi) {
  MDB_cursor* cursor = nullptr;
  const int rc = mdb_cursor_open(txn, dbi, &cursor);
  if (rc != 0) return lmdb_error("cursor", rc);
  return Cursor(cursor);
}
Result<Cursor> Cursor::open(const ReadTxn& txn, Table table) {
  return open_raw(txn.raw(), table.dbi());
}
Result<Cursor> Cursor::open(const WriteTxn& txn, Table table) {
  return open_raw(txn.raw(), table.dbi());
}
Cursor::Cursor(Cursor&& o) noexcept
    : cursor_(std::exchange(o.cursor_, nullptr)), key_(o.key_), value_(o.value_) {}
Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Result<bool> Cursor::move(int op) {
  MDB_val k = val_of(key_), v{};
  const int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(op));
  if (rc == MDB_NOTFOUND) return false;
  if (rc != 0) return lmdb_error("cursor", rc);
  key_ = view_of(k);
  value_ = view_of(v);
  return true;
}

Result<bool> Cursor::seek(std::string_view key) {
  key_ = key;
  return move(MDB_SET_RANGE);
}
Result<bool> Cursor::first() { return move(MDB_FIRST); }
Result<bool> Cursor::last() { return move(MDB_LAST); }
Result<bool> Cursor::next() { return move(MDB_NEXT); }
Result<bool> Cursor::prev() { return move(MDB_PREV); }

}  // namespace aisfs::lmdb
