// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

/// How a request ended, in the words of Operation.
struct Reply {
  Outcome outcome = Outcome::kUnknown;
  ValueId value;  // of a GET or HEAD; a PUT keeps the value that it began with
  Version version;
  std::vector<std::string> entries;
  bool last = false;
};

/// Records what concurrent clients ask and are told. Thread-safe.
///
///   const auto id = history.begin({.client = 3, .kind = OpKind::kPut, .key = "k", .value = v});
///   ... the request ...
///   history.end(id, {.outcome = Outcome::kOk, .version = version});
///
/// What is never ended stays unknown, so a client that dies needs no care.
class History {
 public:
  using Clock = std::function<std::int64_t()>;

  /// Nanoseconds of the steady clock.
  History();
  /// `now` is called by any thread.
  explicit History(Clock now);

  /// To be called before the request is sent: the time of the call is the time of invocation.
  std::size_t begin(Operation operation);
  /// To be called once, after the reply was read.
  void end(std::size_t id, Reply reply);

  /// All operations so far, in the order in which they began.
  Operations operations() const;

 private:
  const Clock now_;
  mutable std::mutex mutex_;
  Operations operations_;  // guarded by mutex_
};

}  // namespace aisfs::tests::history
