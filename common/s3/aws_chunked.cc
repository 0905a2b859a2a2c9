// SPDX-License-Identifier: MIT
#include "common/s3/aws_chunked.h"

#include <algorithm>
#include <cstring>

#include "common/base/text.h"
#include "common/s3/checksum.h"

namespace aisfs::s3 {
namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr std::string_view kSignatureExtension = ";chunk-signature=";
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr std::size_t kTrailerBytesMax = 8 * 1024;

Error bad_framing(std::string_view what) {
  return Error(Errc::invalid_argument, "aws-chunked body: " + std::string(what));
}
Error bad_signature(std::string_view what) {
  return Error(Errc::permission_denied, "aws-chunked body: the signature of " + std::string(what) +
                                            " does not match");
}

struct ChunkHeader {
  std::uint64_t size = 0;
  std::string signature;
};

Result<ChunkHeader> parse_chunk_header(std::string_view line, bool is_signed) {
  const auto semicolon = line.find(';');
  const std::string_view digits = line.substr(0, semicolon);
  if (digits.empty() || digits.size() > 15) return bad_framing("bad chunk size");
  ChunkHeader header;
  for (char c : digits) {
    const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? c + 32 : c);
    if (digit == std::string_view::npos) return bad_framing("bad chunk size");
    header.size = header.size << 4 | digit;
  }
  if (!is_signed) {
    if (semicolon != line.npos) return bad_framing("unexpected chunk extension");
    return header;
  }
  const std::string_view extension = semicolon == line.npos ? "" : line.substr(semicolon);
  if (!extension.starts_with(kSignatureExtension)) return bad_framing("a chunk has no signature");
  header.signature = extension.substr(kSignatureExtension.size());
  return header;
}

}  // namespace

/// One pass over the inner body: header, data, CRLF, ... final header, trailers, empty line, end.
class AwsChunkedSource::Impl {
 public:
  Impl(BodySource& inner, AwsChunkedOptions options)
      : inner_(inner), options_(std::move(options)), previous_(options_.auth.seed_signature) {
    buffer_.resize(kBufferBytes);
    for (const auto& name : options_.trailers) {
      if (!name.starts_with(kChecksumPrefix)) continue;
      const auto kind = parse_checksum_kind(name.substr(kChecksumPrefix.size()));
      if (kind) checksums_.emplace_back(*kind);
    }
  }

  Task<Result<std::size_t>> read(MutableBytes into) {
    if (finished_) co_return std::size_t{0};
    std::size_t done = 0;
    while (done == 0 || (done < into.size() && have() > 0)) {
      if (left_in_chunk_ == 0) {
        CO_TRY(const bool data_follows, co_await next_chunk());
        if (!data_follows) break;
      }
      CO_TRY(const std::size_t n, co_await copy_data(into.subspan(done)));
      done += n;
      if (done == into.size() || delivered_ == options_.decoded_length) break;
    }
    // All that was announced is there: nothing of it counts before the end of the body is proven.
    if (!finished_ && delivered_ == options_.decoded_length && left_in_chunk_ == 0) {
      CO_TRY(const bool more, co_await next_chunk());
      if (more) co_return bad_framing("longer than x-amz-decoded-content-length");
    }
    co_return done;
  }

  std::uint64_t remaining() const { return options_.decoded_length - delivered_; }
  const http::Fields& trailers() const { return trailers_; }

 private:
  bool is_signed() const { return options_.auth.mode != ChunkAuth::Mode::kUnsignedTrailer; }
  bool may_have_trailers() const { return options_.auth.mode != ChunkAuth::Mode::kSigned; }
  std::size_t have() const { return end_ - begin_; }

  /// Ends the chunk that was read, begins the next. False when it was the final one and all of
  /// the rest of the body has been verified.
  Task<Result<bool>> next_chunk() {
    if (in_chunk_) CO_CHECK_OK(co_await end_chunk());
    CO_TRY(const std::string line, co_await read_line());
    CO_TRY(ChunkHeader header, parse_chunk_header(line, is_signed()));
    left_in_chunk_ = header.size;
    chunk_signature_ = std::move(header.signature);
    if (is_signed()) chunk_digest_.emplace(Digest::Kind::kSha256);
    if (header.size > remaining()) {
      co_return bad_framing("longer than x-amz-decoded-content-length");
    }
    in_chunk_ = header.size > 0;
    if (in_chunk_) co_return true;
    CO_CHECK_OK(check_chunk_signature());
    CO_CHECK_OK(co_await finish());
    co_return false;
  }

  Task<Status> end_chunk() {
    in_chunk_ = false;
    CO_CHECK_OK(check_chunk_signature());
    CO_TRY(const std::string line, co_await read_line());
    if (!line.empty()) co_return bad_framing("no line end after a chunk");
    co_return Status{};
  }

  Status check_chunk_signature() {
    if (!is_signed()) return {};
    const auto& auth = options_.auth;
    const std::string expected =
        s3::chunk_signature(auth.key, auth.timestamp, auth.scope, previous_,
                            to_hex(as_bytes(chunk_digest_->finish())));
    if (!equal_constant_time(expected, chunk_signature_)) return bad_signature("a chunk");
    previous_ = expected;
    return {};
  }

  Task<Result<std::size_t>> copy_data(MutableBytes into) {
    std::size_t n = 0;
    const std::size_t want = std::min<std::uint64_t>(into.size(), left_in_chunk_);
    if (have() > 0) {
      n = std::min(want, have());
      std::memcpy(into.data(), buffer_.data() + begin_, n);
      begin_ += n;
    } else {
      // Nothing buffered: straight into the reader's memory.
      CO_TRY(n, co_await inner_.read(into.first(want)));
      if (n == 0) co_return bad_framing("it ends within a chunk");
    }
    account(into.first(n));
    co_return n;
  }

  void account(ConstBytes data) {
    left_in_chunk_ -= data.size();
    delivered_ += data.size();
    if (is_signed()) chunk_digest_->update(data);
    for (auto& checksum : checksums_) checksum.update(data);
  }

  Task<Status> finish() {
    if (delivered_ != options_.decoded_length) {
      co_return bad_framing("shorter than x-amz-decoded-content-length");
    }
    CO_CHECK_OK(co_await read_trailers());
    CO_CHECK_OK(check_trailer_signature());
    CO_CHECK_OK(check_checksums());
    CO_CHECK_OK(co_await expect_end());
    finished_ = true;
    co_return Status{};
  }

  Task<Status> read_trailers() {
    std::size_t bytes = 0;
    while (true) {
      CO_TRY(const std::string line, co_await read_line());
      if (line.empty()) co_return Status{};
      bytes += line.size();
      if (trailers_.size() >= options_.trailer_fields_max || bytes > kTrailerBytesMax) {
        co_return bad_framing("too many trailers");
      }
      const auto colon = line.find(':');
      if (colon == line.npos || colon == 0) co_return bad_framing("bad trailer");
      const std::string name = to_lower(trim(std::string_view(line).substr(0, colon)));
      const std::string_view value = trim(std::string_view(line).substr(colon + 1));
      const bool expected =
          name == kTrailerSignature ||
          std::find(options_.trailers.begin(), options_.trailers.end(), name) !=
              options_.trailers.end();
      if (!may_have_trailers() || !expected || trailers_.has(name)) {
        co_return bad_framing("unannounced trailer " + name);
      }
      trailers_.add(name, value);
    }
  }

  Status check_trailer_signature() {
    const auto& auth = options_.auth;
    if (auth.mode != ChunkAuth::Mode::kSignedTrailer) return {};
    std::string canonical;
    for (const auto& field : trailers_) {
      if (field.name == kTrailerSignature) continue;
      canonical.append(field.name).append(":").append(field.value).append("\n");
    }
    const std::string expected =
        s3::trailer_signature(auth.key, auth.timestamp, auth.scope, previous_, canonical);
    if (!equal_constant_time(expected, trailers_.get(kTrailerSignature))) {
      return bad_signature("the trailer");
    }
    return {};
  }

  Status check_checksums() {
    for (auto& checksum : checksums_) {
      const std::string name = std::string(kChecksumPrefix) + std::string(name_of(checksum.kind()));
      if (!trailers_.has(name)) return bad_framing("announced trailer " + name + " is missing");
      if (to_base64(as_bytes(checksum.finish())) != trailers_.get(name)) {
        return Error(Errc::bad_checksum, "the body does not have the " + name + " of its trailer");
      }
    }
    return {};
  }

  Task<Status> expect_end() {
    if (have() > 0) co_return bad_framing("bytes after the end");
    CO_TRY(const std::size_t n, co_await inner_.read(as_writable(buffer_)));
    if (n > 0) co_return bad_framing("bytes after the end");
    co_return Status{};
  }

  /// The bytes up to CRLF, without it. A body may also end instead of its last, empty line.
  Task<Result<std::string>> read_line() {
    std::string line;
    while (true) {
      const std::string_view view(buffer_.data() + begin_, have());
      const auto at = view.find('\n');
      line.append(view.substr(0, at));
      if (line.size() > options_.line_bytes_max) co_return bad_framing("a line is too long");
      if (at != view.npos) {
        begin_ += at + 1;
        if (!line.ends_with('\r')) co_return bad_framing("a line does not end in CRLF");
        line.pop_back();
        co_return line;
      }
      begin_ = end_ = 0;
      CO_TRY(const std::size_t n, co_await inner_.read(as_writable(buffer_)));
      if (n == 0) co_return bad_framing("it ends too early");
      end_ = n;
    }
  }

  static MutableBytes as_writable(std::string& text) {
    return {reinterpret_cast<std::byte*>(text.data()), text.size()};
  }

  BodySource& inner_;
  AwsChunkedOptions options_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;

  std::string previous_;         // signature of the last chunk
  std::string chunk_signature_;  // claimed for the current one
  std::optional<Digest> chunk_digest_;
  std::vector<Checksum> checksums_;
  http::Fields trailers_;

  std::uint64_t left_in_chunk_ = 0;
  std::uint64_t delivered_ = 0;
  bool in_chunk_ = false;
  bool finished_ = false;
};

AwsChunkedSource::AwsChunkedSource(BodySource& inner, AwsChunkedOptions options)
    : impl_(std::make_unique<Impl>(inner, std::move(options))) {}
AwsChunkedSource::~AwsChunkedSource() = default;

Task<Result<std::size_t>> AwsChunkedSource::read(MutableBytes into) {
  co_return co_await impl_->read(into);
}
std::optional<std::uint64_t> AwsChunkedSource::remaining() const { return impl_->remaining(); }
const http::Fields& AwsChunkedSource::trailers() const { return impl_->trailers(); }

std::string encode_aws_chunked(const ChunkAuth& auth,
                               std::string_view data,
                               std::size_t chunk_bytes,
                               const http::Fields& trailers) {
  std::string out, previous = auth.seed_signature;
  const auto add = [&](std::string_view chunk) {
    char size[24];
    std::snprintf(size, sizeof size, "%zx", chunk.size());
    out.append(size);
    if (auth.mode != ChunkAuth::Mode::kUnsignedTrailer) {
      previous = chunk_signature(auth.key, auth.timestamp, auth.scope, previous,
                                 to_hex(as_bytes(sha256(chunk))));
      out.append(kSignatureExtension).append(previous);
    }
    out.append("\r\n").append(chunk);
    if (!chunk.empty()) out.append("\r\n");
  };
  for (std::size_t at = 0; at < data.size(); at += chunk_bytes) add(data.substr(at, chunk_bytes));
  add({});
  std::string canonical;
  for (const auto& field : trailers) {
    canonical.append(field.name).append(":").append(field.value).append("\n");
    out.append(field.name).append(":").append(field.value).append("\r\n");
  }
  if (auth.mode == ChunkAuth::Mode::kSignedTrailer) {
    out.append(kTrailerSignature).append(":");
    out.append(trailer_signature(auth.key, auth.timestamp, auth.scope, previous, canonical));
    out.append("\r\n");
  }
  return out.append("\r\n");
}

}  // namespace aisfs::s3
