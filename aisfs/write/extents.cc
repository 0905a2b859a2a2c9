// SPDX-License-Identifier: MIT
#include "aisfs/write/extents.h"

#include <algorithm>

namespace aisfs::write {

void Extents::add(ByteRange range) {
  if (range.length == 0) return;
  std::uint64_t begin = range.offset, end = range.offset + range.length;
  auto it = map_.upper_bound(begin);
  if (it != map_.begin() && std::prev(it)->second >= begin) --it;
  while (it != map_.end() && it->first <= end) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    it = map_.erase(it);
  }
  map_[begin] = end;
}

void Extents::truncate(std::uint64_t size) {
  map_.erase(map_.lower_bound(size), map_.end());
  if (!map_.empty()) {
    auto& end = std::prev(map_.end())->second;
    end = std::min(end, size);
  }
}

std::uint64_t Extents::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [begin, end] : map_) sum += end - begin;
  return sum;
}

std::uint64_t Extents::end() const { return map_.empty() ? 0 : std::prev(map_.end())->second; }

std::vector<ByteRange> Extents::ranges() const {
  std::vector<ByteRange> out;
  for (const auto& [begin, end] : map_) out.push_back({begin, end - begin});
  return out;
}

bool Extents::contains(ByteRange range) const {
  if (range.length == 0) return true;
  const Piece piece = piece_at(range);
  return piece.inside && piece.range.length == range.length;
}

Extents::Piece Extents::piece_at(ByteRange range) const {
  const std::uint64_t end = range.offset + range.length;
  auto it = map_.upper_bound(range.offset);
  if (it != map_.begin() && std::prev(it)->second > range.offset) {
    const std::uint64_t stop = std::min(end, std::prev(it)->second);
    return {{range.offset, stop - range.offset}, true};
  }
  const std::uint64_t stop = it == map_.end() ? end : std::min(end, it->first);
  return {{range.offset, stop - range.offset}, false};
}

}  // namespace aisfs::write
