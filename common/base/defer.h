// SPDX-License-Identifier: MIT
#pragma once
#include <utility>

namespace aisfs {

/// Runs a function at the end of the scope: Defer close([&] { ::close(fd); });
template <class F>
class [[nodiscard]] Defer {
 public:
  explicit Defer(F f) : f_(std::move(f)) {}
  Defer(const Defer&) = delete;
  Defer& operator=(const Defer&) = delete;
  ~Defer() { f_(); }

 private:
  F f_;
};

}  // namespace aisfs
