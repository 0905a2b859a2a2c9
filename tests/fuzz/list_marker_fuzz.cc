// SPDX-License-Identifier: MIT
// Continuation tokens: any bytes as a name go both ways, any bytes as a token are refused or are
// exactly the token of the name that comes out.
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/s3/list_marker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size <= 4096) {
    const auto name = aisfs::s3::decode_marker(aisfs::s3::encode_marker(input));
    AISFS_ASSERT(name.ok() && *name == input);
  }
  const auto named = aisfs::s3::decode_marker(input);
  AISFS_ASSERT(!named.ok() || aisfs::s3::encode_marker(*named) == input);
  return 0;
}
