// SPDX-License-Identifier: MIT
// Coroutines of the project: an operation is a Task<Result<T>>.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "common/async/frame_memory.h"
#include "common/base/result.h"

namespace aisfs {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

/// Completion token of every Asio call: errors come back as values, not as exceptions.
inline constexpr auto use_ec = asio::as_tuple(asio::use_awaitable);

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// The one moment by which a request must be answered; set at the edge and passed down.
class Deadline {
 public:
  Deadline() = default;  // never
  explicit Deadline(TimePoint at) : at_(at) {}
  static Deadline after(Duration d) { return Deadline(std::chrono::steady_clock::now() + d); }

  TimePoint at() const { return at_; }
  bool expired() const { return std::chrono::steady_clock::now() >= at_; }
  /// Zero when expired.
  Duration left() const {
    const Duration d = at_ - std::chrono::steady_clock::now();
    return d > Duration::zero() ? d : Duration::zero();
  }
  Deadline earlier(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  TimePoint at_ = TimePoint::max();
};

}  // namespace aisfs
