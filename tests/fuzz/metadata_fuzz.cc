// SPDX-License-Identifier: MIT
// Object metadata as it may lie on a disk: size of the xattr (u16), the xattr, the side file. With
// bit 0 of the first byte the checksums are made right first, so that what lies behind them is
// reached.
#include <cstdint>
#include <cstring>
#include <string>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/wire/envelope.h"
#include "node/store/index.h"
#include "node/store/object_meta.h"

namespace {

std::string sealed(std::string bytes) {
  if (bytes.size() >= aisfs::wire::kEnvelopeHeaderBytes) {
    aisfs::wire::detail::seal_envelope(bytes, 0, 1, 1);
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const bool seal = (data[0] & 1) != 0;
  std::uint16_t xattr_size = 0;
  std::memcpy(&xattr_size, data + 1, sizeof xattr_size);
  const std::string rest(reinterpret_cast<const char*>(data + 3), size - 3);
  std::string xattr = rest.substr(0, xattr_size);
  std::string side = rest.substr(xattr.size());
  if (seal) {
    xattr = sealed(std::move(xattr));
    side = sealed(std::move(side));
  }
  (void)aisfs::store::decode_index_record(rest);
  (void)aisfs::store::side_of(xattr);
  const auto meta = aisfs::store::decode_meta(xattr, side);
  if (!meta) return 0;
  // What can be read can be written and read again.
  const auto again = aisfs::store::encode_meta(*meta);
  const auto back = aisfs::store::decode_meta(again.xattr, again.side);
  AISFS_ASSERT(back.ok());
  AISFS_ASSERT(*back == *meta);
  return 0;
}
