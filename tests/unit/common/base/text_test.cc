// SPDX-License-Identifier: MIT
#include "common/base/text.h"

#include <gtest/gtest.h>

namespace aisfs {
namespace {

std::string all_bytes() {
  std::string s;
  for (int i = 0; i < 256; ++i) s += static_cast<char>(i);
  return s;
}

TEST(Text, Base64IsRfc4648s) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(*from_base64(encoded), plain);
  }
  EXPECT_EQ(*from_base64(to_base64(as_bytes(all_bytes()))), all_bytes());
  EXPECT_EQ(*from_base64url(to_base64url(as_bytes(all_bytes()))), all_bytes());
}

TEST(Text, Base64RefusesWhatItWouldNotWrite) {
  for (const char* bad : {"Zg", "Zg=", "Z===", "Zh==", "Zm9v\n", "Zm9 ", "===="}) {
    EXPECT_FALSE(from_base64(bad).ok()) << bad;
  }
}

TEST(Text, HexRoundTripsAndRefusesTheRest) {
  EXPECT_EQ(*from_hex(to_hex(as_bytes(all_bytes()))), all_bytes());
  EXPECT_EQ(to_hex(std::uint64_t{0x12ab}), "00000000000012ab");
  EXPECT_FALSE(from_hex("abc").ok());
  EXPECT_FALSE(from_hex("zz").ok());
}

TEST(Text, PercentEncodingIsSigV4s) {
  EXPECT_EQ(percent_encode("a/b c~*", Slash::kKeep), "a/b%20c~%2A");
  EXPECT_EQ(percent_encode("a/b", Slash::kEncode), "a%2Fb");
  EXPECT_EQ(*percent_decode(percent_encode(all_bytes(), Slash::kEncode)), all_bytes());
  for (const char* bad : {"%", "%a", "%zz", "a%2"}) EXPECT_FALSE(percent_decode(bad).ok()) << bad;
}

TEST(Text, NumbersAreWholeAndInRange) {
  EXPECT_EQ(parse_u64("18446744073709551615"), ~std::uint64_t{0});
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"}) {
    EXPECT_FALSE(parse_u64(bad)) << bad;
  }
  EXPECT_EQ(parse_i64("-5"), -5);
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a//b/", '/'), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Text, Utf8IsStrict) {
  EXPECT_TRUE(is_utf8("plain, ümlaut, 漢, 😀"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Text, SizesForPeople) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1536), "1.50 KiB");
  EXPECT_EQ(human_size(12_GiB), "12.0 GiB");
}

}  // namespace
}  // namespace aisfs
