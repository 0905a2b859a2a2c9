// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/async/byte_stream.h"

namespace aisfs::fuzz {

/// A body that arrives in pieces of at most so many bytes.
class Pieces final : public BodySource {
 public:
  Pieces(std::string_view text, std::size_t piece) : text_(text), piece_(piece) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t n = std::min({piece_, into.size(), text_.size()});
    std::memcpy(into.data(), text_.data(), n);
    text_.remove_prefix(n);
    co_return n;
  }

 private:
  std::string_view text_;
  std::size_t piece_;
};

}  // namespace aisfs::fuzz
