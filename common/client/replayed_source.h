// SPDX-License-Identifier: MIT
#pragma once
#include <cstring>
#include <string>

#include "common/async/byte_stream.h"

namespace aisfs {

/// A PUT that travels twice is cheaper than asking first, up to about a round trip's worth. What is
/// sent without asking must be there for a second attempt.
inline constexpr std::size_t kUnaskedBytesMax = 256 * 1024;

/// A body that can be read again from its beginning as long as no more than kUnaskedBytesMax of it
/// have been read, whatever the source can do. The source outlives it.
class ReplayedSource final : public BodySource {
 public:
  explicit ReplayedSource(BodySource& source) : source_(source) {
    const auto size = source.remaining();
    // At its beginning a source that can go back is where it was.
    keeps_ = size && *size <= kUnaskedBytesMax && source.file() == nullptr && !source.rewind();
  }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (at_ < kept_.size()) {
      const std::size_t n = std::min(into.size(), kept_.size() - at_);
      std::memcpy(into.data(), kept_.data() + at_, n);
      at_ += n;
      co_return n;
    }
    auto got = co_await source_.read(into);
    if (got && keeps_) {
      kept_.append(reinterpret_cast<const char*>(into.data()), *got);
      at_ = kept_.size();
    }
    co_return got;
  }
  std::optional<std::uint64_t> remaining() const override {
    const auto left = source_.remaining();
    return left ? std::optional(*left + kept_.size() - at_) : std::nullopt;
  }
  bool rewind() override {
    if (!keeps_) return source_.rewind();
    at_ = 0;
    return true;
  }
  const FileSlice* file() const override { return source_.file(); }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override {
    return source_.bring_in(offset, length);
  }

 private:
  BodySource& source_;
  std::string kept_;
  std::size_t at_ = 0;
  bool keeps_ = false;
};

}  // namespace aisfs
