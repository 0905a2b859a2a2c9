// SPDX-License-Identifier: MIT
#include "common/async/byte_stream.h"

namespace aisfs {

Task<Result<std::string>> read_all(BodySource& source, std::size_t limit) {
  std::string text;
  std::size_t used = 0;
  while (true) {
    if (text.size() - used < 4_KiB) text.resize(std::max<std::size_t>(16_KiB, text.size() * 2));
    const MutableBytes space(reinterpret_cast<std::byte*>(text.data()) + used, text.size() - used);
    CO_TRY(const std::size_t n, co_await source.read(space));
    if (n == 0) break;
    used += n;
    if (used > limit) co_return Error(Errc::too_large, "body over " + std::to_string(limit) + " bytes");
  }
  text.resize(used);
  co_return text;
}

}  // namespace aisfs
