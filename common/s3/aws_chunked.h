// SPDX-License-Identifier: MIT
// The aws-chunked body of current SDKs: chunks with a signature each, trailers with checksums.
//
//   <hex size>[;chunk-signature=<64 hex>]\r\n <data> \r\n ... 0[;chunk-signature=..]\r\n
//   [<name>:<value>\r\n ...] [x-amz-trailer-signature:<64 hex>\r\n] \r\n
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/http/message.h"
#include "common/s3/sigv4.h"

namespace aisfs::s3 {

/// What ties the chunks to the request's own, already verified signature.
struct ChunkAuth {
  enum class Mode : std::uint8_t { kSigned, kSignedTrailer, kUnsignedTrailer };
  Mode mode = Mode::kSigned;
  std::string seed_signature;
  std::string key;  // signing key
  std::string timestamp;
  Scope scope;
};

struct AwsChunkedOptions {
  ChunkAuth auth;
  std::uint64_t decoded_length = 0;   // x-amz-decoded-content-length
  std::vector<std::string> trailers;  // names that x-amz-trailer announces, lower case
  std::size_t line_bytes_max = 8 * 1024;
  std::size_t trailer_fields_max = 16;
};

/// Decodes an aws-chunked body.
///
/// The last byte is handed out only after every chunk signature, the final chunk, the trailers,
/// their signature and checksums and the decoded length were found right: whoever has read the
/// announced number of bytes without an error may trust them. Fails with bad_checksum (trailer),
/// permission_denied (signature), invalid_argument (framing, lengths), or the inner body's error.
class AwsChunkedSource final : public BodySource {
 public:
  /// `inner` outlives this.
  AwsChunkedSource(BodySource& inner, AwsChunkedOptions options);
  ~AwsChunkedSource() override;

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override;

  /// The trailers, once the body has been read to its end.
  const http::Fields& trailers() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// For writers: the whole body of `data` in one chunk, for tests and small uploads.
std::string encode_aws_chunked(const ChunkAuth& auth,
                               std::string_view data,
                               std::size_t chunk_bytes,
                               const http::Fields& trailers);

}  // namespace aisfs::s3
