// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/bytes.h"

namespace aisfs {

inline constexpr std::uint64_t kHashBlockBytes = 1_MiB;

/// xxh3-64 of every 1 MiB of an object (the last may be shorter; none for an empty one) and, as
/// root, xxh3-64 of these numbers, little endian, one after the other.
struct BlockHashes {
  std::uint64_t root = 0;
  std::vector<std::uint64_t> blocks;

  bool operator==(const BlockHashes&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(root, blocks);
  }
};

std::uint64_t root_of(const std::vector<std::uint64_t>& blocks);
/// How many blocks an object of `size` has.
constexpr std::uint64_t block_count(std::uint64_t size) {
  return size / kHashBlockBytes + (size % kHashBlockBytes != 0 ? 1 : 0);
}

/// Hashes a stream that comes in pieces of any size. One thread at a time.
class BlockHasher {
 public:
  BlockHasher();
  ~BlockHasher();
  BlockHasher(BlockHasher&&) noexcept;
  BlockHasher& operator=(BlockHasher&&) noexcept;

  void update(ConstBytes bytes);
  /// The next whole block, by one who has its hash already. Only where a block begins.
  void add_block(std::uint64_t hash);
  /// The object is used up.
  BlockHashes finish();
  std::uint64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* state) const;
  };
  void end_block();

  std::unique_ptr<void, Free> state_;
  std::uint64_t size_ = 0;
  std::vector<std::uint64_t> blocks_;
};

}  // namespace aisfs
