// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/byte_stream.h"

namespace aisfs {

/// A body that remembers whether somebody began to read it and whether it failed by itself.
class CountedSource final : public BodySource {
 public:
  explicit CountedSource(BodySource& inner) : inner_(inner) {}

  bool touched() const { return touched_; }
  bool failed() const { return failed_; }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    touched_ = true;
    auto n = co_await inner_.read(into);
    failed_ = !n.ok();
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }
  bool rewind() override { return inner_.rewind(); }
  const FileSlice* file() const override {
    const FileSlice* slice = inner_.file();
    touched_ = touched_ || slice != nullptr;  // whoever has it may have sent it
    return slice;
  }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override {
    return inner_.bring_in(offset, length);
  }

 private:
  BodySource& inner_;
  mutable bool touched_ = false;
  bool failed_ = false;
};

}  // namespace aisfs
