// SPDX-License-Identifier: MIT
#pragma once
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>

#include "aisfs/read/readahead_advisor.h"
#include "common/async/scope.h"
#include "common/client/object_api.h"

namespace aisfs::read {

/// Bytes that may wait in memory for readers, all files together. One shard.
class Budget {
 public:
  explicit Budget(std::uint64_t limit) : limit_(limit) {}
  /// False when they do not fit: then read without keeping.
  bool take(std::uint64_t bytes) {
    if (used_ + bytes > limit_) return false;
    used_ += bytes;
    return true;
  }
  void give_back(std::uint64_t bytes) { used_ -= bytes; }
  std::uint64_t used() const { return used_; }

 private:
  const std::uint64_t limit_;
  std::uint64_t used_ = 0;
};

/// Where the bytes of one version come from. `name` may change (rename); the version does not.
struct Pinned {
  ObjectName name;
  Version version;
  std::uint64_t size = 0;
};

/// Reads one version of an object with read-ahead. Blocks behind the reader are dropped.
///
/// Lives on the mount's shard, held by shared_ptr: fetches run in `scope`, which outlives them.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(ObjectApi& api, TaskScope& scope, Budget& budget, Pinned pinned);
  ~Reader();

  /// The bytes of `range`, shorter only at the end of the object. precondition_failed when the
  /// version is gone.
  Task<Result<std::string>> read(ByteRange range, Context context);

  /// Exactly the range, in one request, past the window.
  Task<Result<std::string>> fetch(ByteRange range, Context context);

  /// Gives the whole content, when it is there already (a small file fetched at open).
  void preload(std::string whole);
  bool preloaded() const { return whole_ != nullptr; }

  void renamed(ObjectName name) { pinned_.name = std::move(name); }
  const Pinned& pinned() const { return pinned_; }

 private:
  struct Block {
    explicit Block(asio::any_io_executor ex) : ready(std::move(ex)) {}
    asio::steady_timer ready;  // cancelled when `done`
    bool done = false;
    std::optional<Error> error;
    std::string bytes;
  };
  using BlockPtr = std::shared_ptr<Block>;

  void fetch_ahead(ByteRange wanted, Context context);
  Task<void> fill(std::uint64_t first, std::vector<BlockPtr> blocks, Context context);
  Task<Result<std::string>> from_blocks(ByteRange range, Context context);
  void drop_behind(std::uint64_t offset);
  void drop(std::map<std::uint64_t, BlockPtr>::iterator it);

  ObjectApi& api_;
  TaskScope& scope_;
  Budget& budget_;
  Pinned pinned_;
  ReadaheadAdvisor advisor_;
  std::map<std::uint64_t, BlockPtr> blocks_;  // by index
  std::shared_ptr<const std::string> whole_;
  bool whole_in_budget_ = false;
};

}  // namespace aisfs::read
