// SPDX-License-Identifier: MIT
#include "common/s3/aws_chunked.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/s3/body_check.h"
#include "common/s3/checksum.h"

namespace aisfs::s3 {
namespace {

/// Gives its text in pieces of a chosen size, as a network does.
class Pieces final : public BodySource {
 public:
  Pieces(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t n = std::min({piece_, into.size(), text_.size() - at_});
    std::memcpy(into.data(), text_.data() + at_, n);
    at_ += n;
    co_return n;
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

template <class T>
T run(Task<T> task) {
  asio::io_context context;
  std::optional<T> out;
  auto store = [](Task<T> inner, std::optional<T>& to) -> Task<void> {
    to.emplace(co_await std::move(inner));
  };
  auto done = asio::co_spawn(context, store(std::move(task), out), asio::use_future);
  context.run();
  done.get();
  return std::move(*out);
}

AwsChunkedOptions options(ChunkAuth::Mode mode, std::uint64_t length) {
  AwsChunkedOptions out;
  out.auth = {.mode = mode,
              .seed_signature = std::string(64, '5'),
              .key = std::string(32, 'k'),
              .timestamp = "20130524T000000Z",
              .scope = {"20130524", "us-east-1", "s3"}};
  out.decoded_length = length;
  if (mode != ChunkAuth::Mode::kSigned) out.trailers = {"x-amz-checksum-crc32"};
  return out;
}

http::Fields trailers_of(ChunkAuth::Mode mode, std::string_view data) {
  http::Fields trailers;
  if (mode == ChunkAuth::Mode::kSigned) return trailers;
  Checksum crc(ChecksumKind::kCrc32);
  crc.update(as_bytes(data));
  trailers.add("x-amz-checksum-crc32", to_base64(as_bytes(crc.finish())));
  return trailers;
}

std::string encoded(ChunkAuth::Mode mode, std::string_view data, std::size_t chunk) {
  return encode_aws_chunked(options(mode, data.size()).auth, data, chunk, trailers_of(mode, data));
}

Result<std::string> decode(std::string body, AwsChunkedOptions how, std::size_t piece = 1 << 20) {
  Pieces inner(std::move(body), piece);
  AwsChunkedSource source(inner, std::move(how));
  return run(read_all(source, 10 << 20));
}

constexpr ChunkAuth::Mode kModes[] = {ChunkAuth::Mode::kSigned, ChunkAuth::Mode::kSignedTrailer,
                                      ChunkAuth::Mode::kUnsignedTrailer};

TEST(AwsChunked, DecodesWhateverTheNetworkCutsItInto) {
  const std::string data = random_bytes(200000);
  for (const auto mode : kModes) {
    for (const std::size_t piece : {1, 7, 4096, 1 << 20}) {
      const auto back = decode(encoded(mode, data, 65536), options(mode, data.size()), piece);
      ASSERT_TRUE(back.ok()) << back.error().what();
      EXPECT_EQ(*back, data);
    }
    const auto empty = decode(encoded(mode, "", 65536), options(mode, 0));
    ASSERT_TRUE(empty.ok());
    EXPECT_EQ(*empty, "");
  }
}

TEST(AwsChunked, EveryChangedByteOfASignedBodyIsRefused) {
  for (const auto mode : {ChunkAuth::Mode::kSigned, ChunkAuth::Mode::kSignedTrailer}) {
    const std::string good = encoded(mode, "hello, world", 5);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      EXPECT_FALSE(decode(bad, options(mode, 12)).ok()) << at << " of " << good;
    }
  }
}

TEST(AwsChunked, EveryCutIsRefused) {
  for (const auto mode : kModes) {
    const std::string good = encoded(mode, "hello, world", 5);
    for (std::size_t n = 0; n < good.size(); ++n) {
      EXPECT_FALSE(decode(good.substr(0, n), options(mode, 12)).ok()) << n;
    }
    EXPECT_FALSE(decode(good + "x", options(mode, 12)).ok());
  }
}

TEST(AwsChunked, ATrailerThatLiesIsABadChecksum) {
  const auto mode = ChunkAuth::Mode::kUnsignedTrailer;
  const auto bad =
      encode_aws_chunked(options(mode, 5).auth, "hello", 5, trailers_of(mode, "hellO"));
  EXPECT_EQ(decode(bad, options(mode, 5)).error().code(), Errc::bad_checksum);
}

TEST(AwsChunked, LengthsThatDisagreeAreRefused) {
  const auto mode = ChunkAuth::Mode::kUnsignedTrailer;
  EXPECT_FALSE(decode(encoded(mode, "hello", 5), options(mode, 4)).ok());
  EXPECT_FALSE(decode(encoded(mode, "hello", 5), options(mode, 6)).ok());
  EXPECT_FALSE(decode("ffffffffffffffff\r\n", options(mode, 5)).ok());
  EXPECT_FALSE(decode("-1\r\n", options(mode, 5)).ok());
}

TEST(AwsChunked, AnAnnouncedTrailerMustComeAndNoOtherMay) {
  const auto mode = ChunkAuth::Mode::kUnsignedTrailer;
  EXPECT_FALSE(decode("5\r\nhello\r\n0\r\n\r\n", options(mode, 5)).ok());
  EXPECT_FALSE(decode("5\r\nhello\r\n0\r\nx-amz-meta-a:b\r\n\r\n", options(mode, 5)).ok());
}

TEST(AwsChunked, TheLastByteComesOnlyWhenAllWasProven) {
  const auto mode = ChunkAuth::Mode::kUnsignedTrailer;
  Pieces inner(encode_aws_chunked(options(mode, 5).auth, "hello", 5, trailers_of(mode, "other")),
               8);
  AwsChunkedSource source(inner, options(mode, 5));
  std::size_t got = 0;
  while (true) {
    std::byte byte[1];
    const auto n = run(source.read(byte));
    if (!n.ok()) break;
    ASSERT_EQ(*n, 1u);
    ++got;
  }
  EXPECT_EQ(got, 4u);
}

TEST(HashedSource, RefusesAnotherBodyBeforeItsLastByte) {
  StringSource good("hello");
  HashedSource right(good, to_hex(as_bytes(sha256("hello"))));
  EXPECT_EQ(*run(read_all(right, 100)), "hello");
  StringSource bad("hellO");
  HashedSource wrong(bad, to_hex(as_bytes(sha256("hello"))));
  std::byte space[16];
  EXPECT_EQ(run(wrong.read(space)).error().code(), Errc::bad_checksum);
}

TEST(Checksum, MatchesKnownValues) {
  const auto of = [](ChecksumKind kind, std::string_view text) {
    Checksum sum(kind);
    sum.update(as_bytes(text.substr(0, 3)));
    sum.update(as_bytes(text.substr(3)));
    return to_hex(as_bytes(sum.finish()));
  };
  EXPECT_EQ(of(ChecksumKind::kCrc32, "123456789"), "cbf43926");
  EXPECT_EQ(of(ChecksumKind::kCrc32c, "123456789"), "e3069283");
  EXPECT_EQ(of(ChecksumKind::kCrc64Nvme, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(of(ChecksumKind::kSha1, "123456789"), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
  EXPECT_EQ(parse_checksum_kind("CRC64NVME"), ChecksumKind::kCrc64Nvme);
  EXPECT_EQ(parse_checksum_kind("md5"), std::nullopt);
}

}  // namespace
}  // namespace aisfs::s3
