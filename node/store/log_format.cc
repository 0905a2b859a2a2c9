// SPDX-License-Identifier: MIT
// The bytes of %log. Little endian.
//
//   segment: magic "AISLOG1\n" | version u32 | 0 u32 | begin u64 | 0 u32 | crc32c u32 (of the 28 before)
//   record:  size u32 (of the payload) | crc32c u32 | type u8 | 0 u8[3] | payload[size]
//
// A record's checksum covers its position (u64), the size, the type with its padding, and the
// payload: bytes that an older log left in the same disk block are never taken for records.
#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "node/store/log.h"

namespace aisfs::store {
namespace {

struct SegmentHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t zero;
  std::uint64_t begin;
  std::uint32_t zero2;
  std::uint32_t crc;
};
static_assert(sizeof(SegmentHeader) == kLogSegmentHeaderBytes);

constexpr char kMagic[8] = {'A', 'I', 'S', 'L', 'O', 'G', '1', '\n'};
constexpr std::uint32_t kVersion = 1;

struct RecordHeader {
  std::uint32_t size;
  std::uint32_t crc;
  std::uint8_t type;
  std::uint8_t zero[3];
};
static_assert(sizeof(RecordHeader) == kLogRecordHeaderBytes);

template <class T>
ConstBytes bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::uint32_t crc_of(const SegmentHeader& header) {
  return crc32c(bytes_of(header).first(sizeof header - sizeof header.crc));
}

std::uint32_t crc_of(Lsn begin, RecordHeader header, std::string_view payload) {
  header.crc = 0;
  const std::uint32_t head = crc32c(bytes_of(header), crc32c(bytes_of(begin)));
  return crc32c(as_bytes(payload), head);
}

}  // namespace

std::string encode_segment_header(Lsn begin) {
  SegmentHeader header{.version = kVersion, .begin = begin};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.crc = crc_of(header);
  return std::string(as_text(bytes_of(header)));
}

Result<Lsn> decode_segment_header(std::string_view bytes) {
  SegmentHeader header{};
  if (bytes.size() < sizeof header) return Error(Errc::corrupt, "log: segment too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (!std::equal(std::begin(kMagic), std::end(kMagic), header.magic) ||
      header.crc != crc_of(header)) {
    return Error(Errc::corrupt, "log: bad segment header");
  }
  if (header.version != kVersion) {
    return Error(Errc::unsupported, "log: written by a newer release; upgrade to read it");
  }
  return header.begin;
}

void encode_record_to(std::string& out, Lsn begin, LogType type, std::string_view payload) {
  RecordHeader header{.size = static_cast<std::uint32_t>(payload.size()),
                      .type = static_cast<std::uint8_t>(type)};
  header.crc = crc_of(begin, header, payload);
  out += as_text(bytes_of(header));
  out += payload;
}

Result<Lsn> walk_records(std::string_view bytes, Lsn begin, const LogVisitor& visit) {
  Lsn at = begin;
  while (bytes.size() >= sizeof(RecordHeader)) {
    RecordHeader header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t left = bytes.size() - sizeof header;
    if (header.size > left || header.size > kLogRecordBytesMax) break;
    const std::string_view payload = bytes.substr(sizeof header, header.size);
    if (header.crc != crc_of(at, header, payload)) break;
    const Lsn end = at + sizeof header + header.size;
    CHECK_OK(visit({at, end, static_cast<LogType>(header.type), payload}));
    bytes.remove_prefix(sizeof header + header.size);
    at = end;
  }
  return at;
}

}  // namespace aisfs::store
