// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string_view>

#include "common/lmdb/txn.h"

struct MDB_cursor;

namespace aisfs::lmdb {

/// A named, byte-wise ordered map. A value of two integers: copy it. Keys are 1..511 bytes.
class Table {
 public:
  Table() = default;
  explicit Table(unsigned dbi) : dbi_(dbi) {}

  /// nullopt when there is none. The view lives as long as the transaction (in a write
  /// transaction: until its next change).
  Result<std::optional<std::string_view>> get(const ReadTxn& txn, std::string_view key) const;
  Result<std::optional<std::string_view>> get(const WriteTxn& txn, std::string_view key) const;

  Status put(WriteTxn& txn, std::string_view key, std::string_view value) const;
  /// True when it was there.
  Result<bool> erase(WriteTxn& txn, std::string_view key) const;
  Status clear(WriteTxn& txn) const;
  Result<std::uint64_t> size(const ReadTxn& txn) const;

  unsigned dbi() const { return dbi_; }

 private:
  unsigned dbi_ = 0;
};

/// Walks a table in order. Lives no longer than its transaction.
class Cursor {
 public:
  static Result<Cursor> open(const ReadTxn& txn, Table table);
  static Result<Cursor> open(const WriteTxn& txn, Table table);
  Cursor(Cursor&& o) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  /// Each of them: true when it stands on an entry, false past the end.
  Result<bool> seek(std::string_view key);  // the first entry >= key
  Result<bool> first();
  Result<bool> last();
  Result<bool> next();
  Result<bool> prev();

  // Of the entry it stands on.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  static Result<Cursor> open_raw(MDB_txn* txn, unsigned dbi);
  Result<bool> move(int op);

  MDB_cursor* cursor_;
  std::string_view key_, value_;
};

}  // namespace aisfs::lmdb
