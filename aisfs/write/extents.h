// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "common/model/range.h"

namespace aisfs::write {

/// A set of bytes as disjoint ranges; neighbours are merged. Pure.
class Extents {
 public:
  void add(ByteRange range);
  /// Everything from `size` on goes.
  void truncate(std::uint64_t size);
  void clear() { map_.clear(); }

  bool empty() const { return map_.empty(); }
  std::size_t count() const { return map_.size(); }
  std::uint64_t bytes() const;
  std::uint64_t end() const;  // of the last range; 0 when empty
  std::vector<ByteRange> ranges() const;
  bool contains(ByteRange range) const;

  /// One step of a walk over [offset, offset + length): the longest front part that is wholly in
  /// the set or wholly outside. `length` > 0.
  struct Piece {
    ByteRange range;
    bool inside = false;
  };
  Piece piece_at(ByteRange range) const;

 private:
  std::map<std::uint64_t, std::uint64_t> map_;  // begin -> end
};

}  // namespace aisfs::write
