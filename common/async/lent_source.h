// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/byte_stream.h"

namespace aisfs {

/// A body whose bytes lie in somebody's memory, from where they can be sent without a copy. One who
/// does not know of it reads it as any other. Hashes that come with the bytes were computed of
/// them where they lie.
class LentSource : public BodySource {
 public:
  /// The next bytes, which stay as they are until they are given back or this object goes; empty:
  /// the end. Errors as of read(). Not with others lent.
  virtual Task<Result<ConstBytes>> lend() = 0;
  /// So many of the lent bytes have been taken; the rest is lent again.
  virtual void give_back(std::size_t taken) = 0;

  Task<Result<std::size_t>> read(MutableBytes into) final {
    CO_TRY(const ConstBytes bytes, co_await lend());
    const std::size_t n = std::min(into.size(), bytes.size());
    if (n > 0) std::memcpy(into.data(), bytes.data(), n);
    give_back(n);
    co_return n;
  }
};

}  // namespace aisfs
