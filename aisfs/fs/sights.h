// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace aisfs::fs {

/// Which threads saw which inodes a moment ago (Options::same_call). Of the newest some thousand
/// inodes only, and of each the newest four threads: several at work in one directory, as rsync's
/// two processes, do not make each other forget. Belongs to the mount's shard.
class Sights {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void mark(std::uint64_t nodeid, std::int32_t thread, Time now) {
    Inode& inode = at(nodeid);
    if (inode.nodeid != nodeid) inode = {.nodeid = nodeid};
    for (Sight& sight : inode.last) {
      if (sight.by != thread) continue;
      sight.at = now;
      return;
    }
    inode.last[inode.next++ % inode.last.size()] = {thread, now};
  }
  /// Whether the thread saw it after `since`.
  bool is_newer(std::uint64_t nodeid, std::int32_t thread, Time since) const {
    const Inode& inode = inodes_[nodeid % inodes_.size()];
    if (inode.nodeid != nodeid) return false;
    for (const Sight& sight : inode.last) {
      if (sight.by == thread) return sight.at > since;
    }
    return false;
  }
  void forget(std::uint64_t nodeid) {
    if (at(nodeid).nodeid == nodeid) at(nodeid) = {};
  }

 private:
  struct Sight {
    std::int32_t by = 0;
    Time at;
  };
  struct Inode {
    std::uint64_t nodeid = 0;
    std::array<Sight, 4> last{};
    std::uint32_t next = 0;
  };
  Inode& at(std::uint64_t nodeid) { return inodes_[nodeid % inodes_.size()]; }

  std::vector<Inode> inodes_ = std::vector<Inode>(4096);
};

}  // namespace aisfs::fs
