// SPDX-License-Identifier: MIT
// Check values: the catalogues of CRC algorithms ("123456789"), RFC 1321, FIPS 180-2, RFC 4231.
#include "common/base/hash.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace aisfs {
namespace {

const ConstBytes kCheck = as_bytes("123456789");

std::string hex(const std::string& raw) { return to_hex(as_bytes(raw)); }

TEST(Hash, CrcsHaveTheirCatalogueValues) {
  EXPECT_EQ(crc32c(kCheck), 0xe3069283u);
  EXPECT_EQ(crc32(kCheck), 0xcbf43926u);
  EXPECT_EQ(crc64nvme(kCheck), 0xae8b14860a799888u);
}

TEST(Hash, CrcsContinueOverPieces) {
  const auto [head, tail] = std::pair{kCheck.first(4), kCheck.subspan(4)};
  EXPECT_EQ(crc32c(tail, crc32c(head)), crc32c(kCheck));
  EXPECT_EQ(crc32(tail, crc32(head)), crc32(kCheck));
  EXPECT_EQ(crc64nvme(tail, crc64nvme(head)), crc64nvme(kCheck));
}

TEST(Hash, DigestsHaveTheirPublishedValues) {
  Digest md5(Digest::Kind::kMd5);
  md5.update(as_bytes("a"));
  md5.update(as_bytes("bc"));
  EXPECT_EQ(hex(md5.finish()), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 4231, case 6: a key that is longer than a block.
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, ConstantTimeCompareCompares) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace aisfs
