// SPDX-License-Identifier: MIT
#include "common/base/hash.h"
#include "node/store/slice_file.h"
#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class SliceDamageTest : public StoreTest {
 protected:
  static constexpr Version kVersion{.epoch = 1, .hlc = 1, .incarnation = 1};

  Status put_slice(const std::string& name, unsigned index) {
    const std::string block(4032, 's');
    SliceTail tail;
    tail.hashes = {xxh3_64(as_bytes(block))};
    tail.header = {.version = kVersion,
                   .geometry = {2, 1},
                   .index = static_cast<std::uint8_t>(index),
                   .object_bytes = 8000,
                   .object_root = 99,
                   .slice_roots = {1, 2, 3},
                   .meta = pack_meta({.bucket = kBucket, .key = name})};
    tail.header.slice_roots[index] = root_of(tail.hashes);
    StringSource source(block + encode_tail(tail));
    return run(store_->put_slice(kBucket, native_bucket("b"), sliced(name, {2, 1}, kVersion), index,
                                 Durability::kFull, source));
  }
  std::size_t slices() {
    std::size_t sum = 0;
    for (std::size_t mountpath : {0U, 1U}) {
      const auto page = run(store_->slices_on(mountpath, kBucket, "", 100));
      EXPECT_TRUE(page.ok());
      if (page) sum += page->slices.size();
    }
    return sum;
  }
  std::string slice_file() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_)) {
      const std::string path = entry.path();
      if (entry.is_regular_file() && path.find("/%ec/") != path.npos) return path;
    }
    return {};
  }
};

TEST_F(SliceDamageTest, OneThatLiesInThePlaceOfAnotherIsSetAside) {
  ASSERT_TRUE(put_slice("k", 1).ok());
  ASSERT_EQ(slices(), 1u);
  std::string other = slice_file();
  other.back() = '2';
  std::filesystem::rename(slice_file(), other);
  EXPECT_EQ(slices(), 0u);
  EXPECT_EQ(set_aside_below(dir_).size(), 1u);
  ASSERT_TRUE(put_slice("k", 1).ok()) << "it is made anew";
  EXPECT_EQ(slices(), 1u);
}

}  // namespace
}  // namespace aisfs::store
