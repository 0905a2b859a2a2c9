// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "common/async/byte_stream.h"

namespace aisfs {

/// A body whose end must be approved: how PutOptions::before_publish reaches over the wire. Its
/// length is not announced, so the request ends only after `approve` has agreed; otherwise it is
/// cut off, and the other side publishes nothing.
class GuardedSource final : public BodySource {
 public:
  GuardedSource(BodySource& inner, std::function<Status()> approve)
      : inner_(inner), approve_(std::move(approve)) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    auto n = co_await inner_.read(into);
    if (n && *n == 0) CO_CHECK_OK(approve_());
    co_return n;
  }
  bool rewind() override { return inner_.rewind(); }

 private:
  BodySource& inner_;
  std::function<Status()> approve_;
};

}  // namespace aisfs
