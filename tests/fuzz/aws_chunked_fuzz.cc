// SPDX-License-Identifier: MIT
// An aws-chunked body: the first byte chooses the mode and the size of the pieces it arrives in,
// the second the announced length. What is decoded never exceeds the announcement, and how the
// network cuts the body makes no difference.
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/s3/aws_chunked.h"
#include "tests/fuzz/pieces.h"

namespace aisfs::s3 {
namespace {

using fuzz::Pieces;

struct Outcome {
  bool ok = false;
  std::string text;
  bool operator==(const Outcome&) const = default;
};

Task<void> decode(std::string_view body,
                  AwsChunkedOptions options,
                  std::size_t piece,
                  Outcome& out) {
  Pieces pieces(body, piece);
  const std::uint64_t announced = options.decoded_length;
  AwsChunkedSource source(pieces, std::move(options));
  auto text = co_await read_all(source, 1 << 20);
  out.ok = text.ok();
  if (text.ok()) out.text = std::move(*text);
  AISFS_ASSERT(!out.ok || out.text.size() == announced);
}

Outcome run(std::string_view body, ChunkAuth::Mode mode, std::uint64_t length, std::size_t piece) {
  AwsChunkedOptions options;
  options.auth = {.mode = mode,
                  .seed_signature = std::string(64, '5'),
                  .key = std::string(32, 'k'),
                  .timestamp = "20130524T000000Z",
                  .scope = {"20130524", "us-east-1", "s3"}};
  options.decoded_length = length;
  if (mode != ChunkAuth::Mode::kSigned) options.trailers = {"x-amz-checksum-crc32"};
  asio::io_context context;
  Outcome out;
  asio::co_spawn(context, decode(body, std::move(options), piece, out),
                 [](std::exception_ptr error) { AISFS_ASSERT(!error); });
  context.run();
  return out;
}

}  // namespace
}  // namespace aisfs::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using aisfs::s3::ChunkAuth;
  if (size < 2) return 0;
  const auto mode = static_cast<ChunkAuth::Mode>(data[0] % 3);
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = aisfs::s3::run(body, mode, data[1], size);
  AISFS_ASSERT(whole == aisfs::s3::run(body, mode, data[1], 1 + data[0] / 3 % 16));
  return 0;
}
