// SPDX-License-Identifier: MIT
#pragma once
#include <shared_mutex>
#include <utility>

#include "common/lmdb/env.h"

struct MDB_txn;

namespace aisfs::lmdb {

/// A snapshot. What is read from it is valid while it lives. One thread at a time; never over a
/// co_await.
class ReadTxn {
 public:
  ReadTxn(ReadTxn&& o) noexcept
      : env_(o.env_), txn_(std::exchange(o.txn_, nullptr)), map_(std::move(o.map_)) {}
  ReadTxn& operator=(ReadTxn&&) = delete;
  ~ReadTxn();

  MDB_txn* raw() const { return txn_; }

 private:
  friend class Env;
  ReadTxn(const Env& env, MDB_txn* txn, std::shared_lock<std::shared_mutex> map)
      : env_(env), txn_(txn), map_(std::move(map)) {}

  const Env& env_;
  MDB_txn* txn_;
  std::shared_lock<std::shared_mutex> map_;
};

/// Made by Env::write, which commits it.
class WriteTxn {
 public:
  explicit WriteTxn(MDB_txn* txn) : txn_(txn) {}
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;

  MDB_txn* raw() const { return txn_; }

  /// The error of a step that failed; remembers whether growing the map would have helped.
  Error failed(std::string_view doing, int code);
  bool needs_growth() const { return needs_growth_; }

 private:
  MDB_txn* const txn_;
  bool needs_growth_ = false;
};

}  // namespace aisfs::lmdb
