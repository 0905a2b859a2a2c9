// SPDX-License-Identifier: MIT
#include "common/async/byte_stream.h"

namespace aisfs {
namespace {

// To announce a length costs nothing: for a longer body memory is taken as it comes.
constexpr std::uint64_t kKnownMax = 64_KiB;

}  // namespace

Task<Result<std::string>> read_all(BodySource& source, std::size_t limit) {
  std::string text;
  std::size_t used = 0;
  // Room for the end as well: whoever checks a body does so there.
  if (const auto known = source.remaining(); known && *known < kKnownMax) text.resize(*known + 1);
  while (true) {
    if (text.size() == used) text.resize(std::max<std::size_t>(16_KiB, text.size() * 2));
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
