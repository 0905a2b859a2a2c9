// SPDX-License-Identifier: MIT
#include "common/base/block_hashes.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "common/base/hash.h"

namespace aisfs {
namespace {

TEST(BlockHashes, ArePieceByPieceTheSameAsWhole) {
  std::string body(3 * kHashBlockBytes + 12345, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 >> 3);
  std::vector<std::uint64_t> want;
  for (std::size_t at = 0; at < body.size(); at += kHashBlockBytes) {
    want.push_back(xxh3_64(as_bytes(std::string_view(body).substr(at, kHashBlockBytes))));
  }
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, std::size_t{1_MiB},
                                  std::size_t{1_MiB} + 1, body.size()}) {
    BlockHasher hasher;
    for (std::size_t at = 0; at < body.size(); at += piece) {
      hasher.update(as_bytes(std::string_view(body).substr(at, piece)));
    }
    EXPECT_EQ(hasher.size(), body.size());
    const BlockHashes got = hasher.finish();
    EXPECT_EQ(got.blocks, want) << piece;
    EXPECT_EQ(got.root, root_of(want));
  }
  EXPECT_TRUE(BlockHasher().finish().blocks.empty());
  EXPECT_EQ(block_count(0), 0u);
  EXPECT_EQ(block_count(kHashBlockBytes), 1u);
  EXPECT_EQ(block_count(kHashBlockBytes + 1), 2u);
}

TEST(BlockHashes, AKnownHashStandsForItsBlock) {
  const std::string block(kHashBlockBytes, 'b');
  BlockHasher all, known;
  all.update(as_bytes(block + block + "tail"));
  known.add_block(xxh3_64(as_bytes(block)));
  known.update(as_bytes(block));
  known.update(as_bytes("tail"));
  EXPECT_EQ(known.size(), all.size());
  EXPECT_EQ(known.finish(), all.finish());
}

}  // namespace
}  // namespace aisfs
