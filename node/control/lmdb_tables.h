// SPDX-License-Identifier: MIT
// The little of LMDB that the embedded store needs: an environment with named tables, and
// transactions that end with their scope.
#pragma once
#include <lmdb.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::control {

class LmdbTxn {
 public:
  static Result<LmdbTxn> begin(MDB_env* env, unsigned flags);

  /// nullopt when the key is not there. The view lives until the next write or the end.
  Result<std::optional<std::string_view>> get(MDB_dbi table, std::string_view key);
  Status put(MDB_dbi table, std::string_view key, std::string_view value);
  /// Removing what is not there is fine.
  Status remove(MDB_dbi table, std::string_view key);
  /// Calls visit(key, value) for [begin, end) until it returns false; no end when `end` is empty.
  using Visit = std::function<bool(std::string_view, std::string_view)>;
  Status scan(MDB_dbi table, std::string_view begin, std::string_view end, const Visit& visit);
  /// As scan, from the last key of the table downwards until `visit` returns false.
  Status scan_back(MDB_dbi table, const Visit& visit);
  /// Durable when it returns. The transaction is used up.
  Status commit();

 private:
  struct Abort {
    void operator()(MDB_txn* txn) const { ::mdb_txn_abort(txn); }
  };
  friend class LmdbEnv;
  explicit LmdbTxn(MDB_txn* txn) : txn_(txn) {}
  std::unique_ptr<MDB_txn, Abort> txn_;
};

/// Opens `dir` (made if missing, 0700) with every table of `names`, in their order.
class LmdbEnv {
 public:
  static Result<LmdbEnv> open(const std::string& dir,
                              const std::vector<std::string>& names,
                              std::size_t map_bytes);

  Result<LmdbTxn> read() { return LmdbTxn::begin(env_.get(), MDB_RDONLY); }
  /// One at a time in the process.
  Result<LmdbTxn> write() { return LmdbTxn::begin(env_.get(), 0); }
  MDB_dbi table(std::size_t index) const { return tables_[index]; }

 private:
  struct Close {
    void operator()(MDB_env* env) const { ::mdb_env_close(env); }
  };
  std::unique_ptr<MDB_env, Close> env_;
  std::vector<MDB_dbi> tables_;
};

}  // namespace aisfs::control
