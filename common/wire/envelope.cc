// SPDX-License-Identifier: MIT
#include "common/wire/envelope.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "common/base/hash.h"

namespace aisfs::wire {
namespace {

constexpr std::uint32_t kMagic = 0x32534941;       // "AIS2"
constexpr std::uint32_t kFirstMagic = 0x31534941;  // "AIS1": the checksum is of the payload alone

struct Header {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t compat;
  std::uint32_t size;
  std::uint32_t crc;
};
static_assert(sizeof(Header) == kEnvelopeHeaderBytes);

std::uint32_t checksum_of(const Header& header, ConstBytes payload) {
  if (header.magic == kFirstMagic) return crc32c(payload);
  std::array<std::byte, offsetof(Header, crc)> covered;
  std::memcpy(covered.data(), &header, covered.size());
  return crc32c(payload, crc32c(covered));
}

Result<Header> read_header(std::string_view bytes) {
  Header header{};
  if (bytes.size() < sizeof header) return Error(Errc::corrupt, "envelope: too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kMagic && header.magic != kFirstMagic) {
    return Error(Errc::corrupt, "envelope: bad magic");
  }
  if (header.size > bytes.size() - sizeof header) return Error(Errc::corrupt, "envelope: cut off");
  return header;
}

}  // namespace

Result<std::size_t> envelope_size(std::string_view bytes) {
  TRY(const Header header, read_header(bytes));
  return sizeof header + header.size;
}

namespace detail {

Result<Opened> open_envelope(std::string_view bytes, std::uint16_t reader_version) {
  TRY(const Header header, read_header(bytes));
  const ConstBytes payload = as_bytes(bytes.substr(sizeof header, header.size));
  if (checksum_of(header, payload) != header.crc) {
    return Error(Errc::corrupt, "envelope: bad checksum");
  }
  if (header.compat > reader_version) {
    return Error(Errc::unsupported, "written by a newer release; upgrade this program to read it");
  }
  return Opened{header.version, payload};
}

void seal_envelope(std::string& out, std::size_t at, std::uint16_t version, std::uint16_t compat) {
  const std::string_view payload = std::string_view(out).substr(at + kEnvelopeHeaderBytes);
  Header header{kMagic, version, compat, static_cast<std::uint32_t>(payload.size()), 0};
  header.crc = checksum_of(header, as_bytes(payload));
  std::memcpy(out.data() + at, &header, sizeof header);
}

}  // namespace detail
}  // namespace aisfs::wire
