// SPDX-License-Identifier: MIT
// (bucket, key of any length) -> value in an LMDB table, whose own keys end at 511 bytes, so that
// byte order stays the order of the keys.
//
//   entry:  node (9 bytes) | rest of the key, at most 501 bytes          -> value
//   link:   node (9 bytes) | next 501 bytes of the key | 0               -> child (8 bytes)
//   node:   'B' bucket id, or 'N' child id; both big endian
//
// A link sorts behind the entry with the same 501 bytes and before everything greater, as the longer
// keys below it do. Only keys over 501 bytes pay for it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/lmdb/table.h"
#include "common/model/bucket.h"

namespace aisfs::store {

/// Gives the children their numbers; kept by the owner of the tree across restarts.
struct NodeIds {
  std::uint64_t next = 1;
};

class NameTree {
 public:
  static constexpr std::size_t kStepBytes = 501;

  NameTree() = default;
  explicit NameTree(lmdb::Table table) : table_(table) {}

  Result<std::optional<std::string_view>> get(const lmdb::ReadTxn& txn,
                                              BucketId bucket,
                                              std::string_view key) const;
  Result<std::optional<std::string_view>> get(const lmdb::WriteTxn& txn,
                                              BucketId bucket,
                                              std::string_view key) const;
  Status put(lmdb::WriteTxn& txn,
             NodeIds& ids,
             BucketId bucket,
             std::string_view key,
             std::string_view value) const;
  /// Removes the links that lead to nothing any more, too.
  Status erase(lmdb::WriteTxn& txn, BucketId bucket, std::string_view key) const;
  Status erase_bucket(lmdb::WriteTxn& txn, BucketId bucket) const;

  lmdb::Table table() const { return table_; }

 private:
  lmdb::Table table_;
};

/// Walks the keys of one bucket in order. Lives no longer than its transaction.
class NameCursor {
 public:
  NameCursor(const lmdb::ReadTxn& txn, NameTree tree, BucketId bucket);

  // Each of them: true when it stands on a key, false past the end.
  Result<bool> seek(std::string_view key);  // the first >= key
  Result<bool> next();

  // Of the key it stands on.
  const std::string& key() const { return key_; }
  std::string_view value() const { return levels_.back().cursor.value(); }

 private:
  struct Level {
    std::string node;
    lmdb::Cursor cursor;
  };
  Status descend(std::string node);
  Result<bool> settle(bool on_entry);

  const lmdb::ReadTxn& txn_;
  const NameTree tree_;
  const std::string root_;
  std::vector<Level> levels_;
  std::string key_;  // the steps of all levels but the last, then the rest
  std::size_t rest_at_ = 0;
};

}  // namespace aisfs::store
