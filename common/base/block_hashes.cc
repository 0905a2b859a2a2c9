// SPDX-License-Identifier: MIT
#include "common/base/block_hashes.h"

#if __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the widest vectors that the processor has
#else
#include <xxhash.h>
#endif

#include <algorithm>

#include "common/base/assert.h"
#include "common/base/hash.h"

namespace aisfs {
namespace {
XXH3_state_t* state_of(void* p) { return static_cast<XXH3_state_t*>(p); }
}  // namespace

std::uint64_t root_of(const std::vector<std::uint64_t>& blocks) {
  return xxh3_64(std::as_bytes(std::span(blocks)));
}

void BlockHasher::Free::operator()(void* state) const { XXH3_freeState(state_of(state)); }

BlockHasher::BlockHasher() : state_(XXH3_createState()) {
  AISFS_ASSERT(state_ != nullptr);
  XXH3_64bits_reset(state_of(state_.get()));
}
BlockHasher::~BlockHasher() = default;
BlockHasher::BlockHasher(BlockHasher&&) noexcept = default;
BlockHasher& BlockHasher::operator=(BlockHasher&&) noexcept = default;

void BlockHasher::update(ConstBytes bytes) {
  while (!bytes.empty()) {
    const std::size_t room = kHashBlockBytes - size_ % kHashBlockBytes;
    const std::size_t n = std::min(room, bytes.size());
    if (n == kHashBlockBytes) {  // a whole block in one piece
      blocks_.push_back(xxh3_64(bytes.first(n)));
      size_ += n;
    } else {
      XXH3_64bits_update(state_of(state_.get()), bytes.data(), n);
      size_ += n;
      if (n == room) end_block();
    }
    bytes = bytes.subspan(n);
  }
}

void BlockHasher::add_block(std::uint64_t hash) {
  AISFS_ASSERT(size_ % kHashBlockBytes == 0);
  blocks_.push_back(hash);
  size_ += kHashBlockBytes;
}

void BlockHasher::end_block() {
  blocks_.push_back(XXH3_64bits_digest(state_of(state_.get())));
  XXH3_64bits_reset(state_of(state_.get()));
}

BlockHashes BlockHasher::finish() {
  if (size_ % kHashBlockBytes != 0) end_block();
  const std::uint64_t root = root_of(blocks_);
  return {.root = root, .blocks = std::move(blocks_)};
}

}  // namespace aisfs
