// SPDX-License-Identifier: MIT
// The header of a slice as it may lie on a disk or come from a peer. With bit 0 of the first byte
// its checksum is made right first, so that what lies behind it is reached. What is accepted can be
// written and read again, and lays out its object without gaps.
#include <cstdint>
#include <string>

#include "common/base/assert.h"
#include "node/ec/slice_header.h"

namespace aisfs::ec {
namespace {

void check_layout(const SliceHeader& header) {
  const Layout layout = header.layout();
  const unsigned data = header.geometry.data;
  AISFS_ASSERT(layout.slice_bytes() * data >= header.object_bytes);
  AISFS_ASSERT(layout.slice_bytes() * data - header.object_bytes <
               std::uint64_t{data} * kBlockAlign);
  if (layout.stripes() == 0) return;
  const ByteRange last = layout.object_range(layout.stripes() - 1);
  AISFS_ASSERT(last.length != 0 && last.offset + last.length == header.object_bytes);
  std::uint64_t bytes = 0;
  for (const SlicePiece& piece : layout.pieces(last)) {
    AISFS_ASSERT(piece.slice < data && piece.length != 0);
    AISFS_ASSERT(piece.offset + piece.length <= layout.slice_bytes());
    bytes += piece.length;
  }
  AISFS_ASSERT(bytes == last.length);
}

void check(std::string bytes, bool seal) {
  if (seal && bytes.size() >= wire::kEnvelopeHeaderBytes)
    wire::detail::seal_envelope(bytes, 0, 1, 1);
  const auto header = decode_header(bytes);
  if (!header) return;
  AISFS_ASSERT(header->index < header->geometry.slices());
  AISFS_ASSERT(header->slice_roots.size() == header->geometry.slices());
  const auto again = decode_header(encode_header(*header));
  AISFS_ASSERT(again.ok() && *again == *header);
  check_layout(*header);
}

}  // namespace
}  // namespace aisfs::ec

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  aisfs::ec::check({reinterpret_cast<const char*>(data + 1), size - 1}, (data[0] & 1) != 0);
  return 0;
}
