// SPDX-License-Identifier: MIT
// Every struct that is stored or sent: cereal inside an envelope that lets old and new read each
// other. Byte by byte, little endian (man/aisfs-formats.7):
//
//   magic u32 "AIS2" | version u16 | compat u16 | size u32 | crc32c u32 | payload[size]
//
// The checksum is of all others of these. Envelopes "AIS1", where it is of the payload alone, are
// read.
//
// A struct declares kVersion, kCompat and fields(ar, version); new fields come last, behind
// `if (version >= n)`. An older reader ignores what it does not know (the size lets it skip), and
// refuses only when compat is above its own version.
#pragma once
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/wire/archive.h"

namespace aisfs::wire {

inline constexpr std::size_t kEnvelopeHeaderBytes = 16;

namespace detail {
struct Opened {
  std::uint16_t version;
  ConstBytes payload;
};
/// Checks magic, compat, size and CRC. corrupt for all but a too new compat (unsupported).
Result<Opened> open_envelope(std::string_view bytes, std::uint16_t reader_version);
/// Prepends the header to the payload that begins at `at` in `out` (header space included).
void seal_envelope(std::string& out, std::size_t at, std::uint16_t version, std::uint16_t compat);
}  // namespace detail

/// Appends the envelope of `value` to `out`.
template <class T>
void encode_to(std::string& out, const T& value) {
  const std::size_t at = out.size();
  out.append(kEnvelopeHeaderBytes, '\0');
  Writer ar(out);
  const_cast<T&>(value).fields(ar, T::kVersion);
  detail::seal_envelope(out, at, T::kVersion, T::kCompat);
}

template <class T>
std::string encode(const T& value) {
  std::string out;
  encode_to(out, value);
  return out;
}

/// Reads one envelope that begins at `bytes`; what follows it is ignored (see envelope_size).
/// Fails with corrupt or unsupported; never allocates more than a small multiple of the input.
template <class T>
Result<T> decode(std::string_view bytes) {
  TRY(const auto opened, detail::open_envelope(bytes, T::kVersion));
  try {
    T value;
    Reader ar(opened.payload);
    value.fields(ar, std::min(opened.version, T::kVersion));
    return value;
  } catch (const std::exception& e) {
    return Error(Errc::corrupt, std::string("envelope: ") + e.what());
  }
}

/// Bytes of the whole envelope at the front of `bytes`; corrupt if there is none.
Result<std::size_t> envelope_size(std::string_view bytes);

}  // namespace aisfs::wire
