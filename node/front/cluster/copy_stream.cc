// SPDX-License-Identifier: MIT
#include "node/front/cluster/copy_stream.h"

#include "common/base/text.h"
#include "common/client/remote_call.h"

namespace aisfs::cluster {
namespace {

/// A StoredMeta as it lies on a disk.
struct CopyMeta {
  std::string xattr, side;
  AISFS_MESSAGE_FIELDS(xattr, side)
};

CopyMeta copy_meta_of(const store::StoredMeta& meta) {
  store::EncodedMeta encoded = store::encode_meta(meta);
  return {std::move(encoded.xattr), std::move(encoded.side)};
}

constexpr std::size_t kPrefixBytesMax = store::kMetaSideBytesMax + 4096;

Task<Result<std::string>> read_exactly(BodySource& body, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t used = 0;
  while (used < size) {
    const MutableBytes rest(reinterpret_cast<std::byte*>(bytes.data()) + used, size - used);
    CO_TRY(const std::size_t n, co_await body.read(rest));
    if (n == 0) co_return Error(Errc::corrupt, "a copy is cut off in its metadata");
    used += n;
  }
  co_return bytes;
}

}  // namespace

std::string encode_copy_meta(const store::StoredMeta& meta) {
  return wire::encode(copy_meta_of(meta));
}

Result<store::StoredMeta> decode_copy_meta(std::string_view bytes) {
  TRY(const auto both, wire::decode<CopyMeta>(bytes));
  return store::decode_meta(both.xattr, both.side);
}

std::string describe_copy(const store::StoredMeta& meta, http::Fields& fields) {
  const CopyMeta both = copy_meta_of(meta);
  if (const auto header = header_of(both)) {
    fields.set(kCopyHeader, *header);
    return {};
  }
  std::string prefix = wire::encode(both);
  fields.set(kCopyPrefixHeader, std::to_string(prefix.size()));
  return prefix;
}

Task<Result<std::size_t>> PrefixedSource::read(MutableBytes into) {
  CO_TRY(const std::size_t n, co_await prefix_.read(into));
  if (n > 0) co_return n;
  co_return co_await inner_.read(into);
}

std::optional<std::uint64_t> PrefixedSource::remaining() const {
  const auto rest = inner_.remaining();
  return rest ? std::optional(*prefix_.remaining() + *rest) : std::nullopt;
}

Task<Result<std::string>> read_prefix(std::string size, BodySource& body, std::size_t limit) {
  const auto bytes = parse_u64(size);
  if (!bytes || *bytes > limit) {
    co_return Error(Errc::invalid_argument, "what is in front of a body has no proper size");
  }
  co_return co_await read_exactly(body, *bytes);
}

Task<Result<store::StoredMeta>> read_copy_meta(const http::Fields& fields, BodySource& body) {
  Result<CopyMeta> both(Errc::invalid_argument);
  if (const std::string* prefix = fields.find(kCopyPrefixHeader)) {
    CO_TRY(const std::string bytes, co_await read_prefix(*prefix, body, kPrefixBytesMax));
    both = wire::decode<CopyMeta>(bytes);
  } else {
    both = value_of<CopyMeta>(fields.find(kCopyHeader), kCopyHeader);
  }
  if (!both) co_return std::move(both).error();
  co_return store::decode_meta(both->xattr, both->side);
}

}  // namespace aisfs::cluster
