// SPDX-License-Identifier: MIT
#include "node/store/slice_file.h"

#include <cstring>

#include "common/base/text.h"
#include "common/model/version_key.h"

namespace aisfs::store {
namespace {

// Behind a key: placement looks no further than the separator, as with keys of versions.
constexpr std::string_view kMark = "ec";
constexpr std::string_view kMagic = "AISLICE1";

struct TailEnvelope {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string header;
  std::vector<std::uint64_t> hashes;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(header, hashes);
  }
};

struct PackedMeta {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string xattr, side;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(xattr, side);
  }
};

Error contradiction(const std::string& what) { return Error(Errc::corrupt, "slice: " + what); }

}  // namespace

Reference sliced(std::string_view key, ec::Geometry geometry, Version version) {
  std::string text(key);
  text += kVersionSeparator;
  text.append(kMark).append(geometry.to_string());
  return {std::move(text), version};
}

std::optional<ec::Geometry> geometry_of(const Reference& reference) {
  const std::string_view mark = version_suffix(reference.key);
  if (!mark.starts_with(kMark)) return std::nullopt;
  const std::string_view counts = mark.substr(kMark.size());
  const auto plus = counts.find('+');
  if (plus == counts.npos) return std::nullopt;
  const auto data = parse_u64(counts.substr(0, plus));
  const auto parity = parse_u64(counts.substr(plus + 1));
  if (!data || !parity || *data > ec::kDataMax || *parity > ec::kParityMax) return std::nullopt;
  const ec::Geometry geometry{static_cast<std::uint8_t>(*data), static_cast<std::uint8_t>(*parity)};
  return geometry.validate() ? std::optional(geometry) : std::nullopt;
}

Status check_whole(const std::optional<Reference>& reference, const std::string& what) {
  if (!reference || !is_sliced(*reference)) return {};
  return Error(Errc::not_ready, what + " lies in slices since a moment ago; try again");
}

std::string_view sliced_key(const Reference& reference) { return plain_key(reference.key); }

std::string encode_tail(const SliceTail& tail) {
  std::string bytes = wire::encode(TailEnvelope{ec::encode_header(tail.header), tail.hashes});
  const std::uint64_t size = bytes.size();
  char end[sizeof size];
  std::memcpy(end, &size, sizeof size);
  bytes.append(end, sizeof end).append(kMagic);
  return bytes;
}

Result<std::uint64_t> tail_bytes(std::string_view end) {
  if (end.size() != kSliceEndBytes || !end.ends_with(kMagic)) {
    return contradiction("its end is missing");
  }
  std::uint64_t size = 0;
  std::memcpy(&size, end.data(), sizeof size);
  if (size > kSliceTailBytesMax) return contradiction("its end has no proper size");
  return size;
}

Result<SliceTail> decode_tail(std::string_view envelope) {
  auto opened = wire::decode<TailEnvelope>(envelope);
  if (!opened) return std::move(opened).error().context("slice");
  TRY(ec::SliceHeader header, ec::decode_header(opened->header));
  if (opened->hashes.size() != header.layout().stripes()) {
    return contradiction(std::to_string(opened->hashes.size()) + " hashes of " +
                         std::to_string(header.layout().stripes()) + " blocks");
  }
  if (root_of(opened->hashes) != header.slice_roots[header.index]) {
    return contradiction("the hashes of its blocks are not those of its header");
  }
  return SliceTail{std::move(header), std::move(opened->hashes)};
}

std::string pack_meta(const StoredMeta& meta) {
  StoredMeta alone = meta;
  alone.hashes = {};
  alone.reference.reset();
  EncodedMeta encoded = encode_meta(alone);
  return wire::encode(PackedMeta{std::move(encoded.xattr), std::move(encoded.side)});
}

Result<StoredMeta> unpack_meta(std::string_view packed) {
  TRY(const auto opened, wire::decode<PackedMeta>(packed));
  return decode_meta(opened.xattr, opened.side);
}

}  // namespace aisfs::store
