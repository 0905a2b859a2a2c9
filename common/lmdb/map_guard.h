// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

namespace aisfs::lmdb {

/// What takes the place of a page that cannot be read.
enum class Instead : std::uint8_t {
  kEmptyLeaf,  // an LMDB leaf without entries
  kZeros,
};

/// A file that is mapped into memory cannot answer with an error: when its disk fails, who touches
/// a page that is not resident, or writes to one, gets SIGBUS, which ends the process. While a
/// MapGuard lives, such a page of its map is replaced, and failed() says so: what was read from the
/// map is worth nothing then. Nothing is to be begun on it any more, because LMDB trusts its pages;
/// what goes on meets pages without entries. Thread-safe.
class MapGuard {
 public:
  MapGuard() = default;
  ~MapGuard() { release(); }
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  /// Guards this memory, and no other from now on. Without a free place (256 in a process) it
  /// guards nothing.
  void watch(const void* begin, std::size_t bytes, Instead instead);
  void release();
  bool failed() const;

 private:
  int slot_ = -1;
};

}  // namespace aisfs::lmdb
