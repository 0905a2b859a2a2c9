// SPDX-License-Identifier: MIT
#include "aisfs/mount/core_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "common/base/unique_fd.h"

namespace aisfs::mount {
namespace {

constexpr Duration kPeriod = std::chrono::milliseconds(1);
constexpr Duration kRest = std::chrono::milliseconds(50);
constexpr std::uint32_t kRequestsMin = 8;       // in a period; fewer are no load
constexpr std::uint64_t kBytesMax = 16 * 1024;  // of a small request, on average

/// The core that a thread ran on last: field 39 of proc(5)'s stat.
std::optional<int> core_of(std::int32_t thread) {
  char path[32], text[1024];
  std::snprintf(path, sizeof path, "/proc/%d/stat", thread);
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t n = file.get() >= 0 ? ::read(file.get(), text, sizeof text - 1) : 0;
  if (n <= 0) return std::nullopt;
  text[n] = '\0';
  const char* at = std::strrchr(text, ')');  // the name may hold anything
  for (int field = 2; at != nullptr && field < 39; ++field) {
    at = std::strchr(at + 1, ' ');
  }
  int core = 0;
  if (at == nullptr || std::sscanf(at, "%d", &core) != 1) return std::nullopt;
  return core;
}

}  // namespace

CoreFollower::CoreFollower() {
  CPU_ZERO(&allowed_);
  (void)::sched_getaffinity(0, sizeof allowed_, &allowed_);
}

void CoreFollower::note(std::int32_t thread, std::uint64_t bytes, TimePoint now) {
  if (now >= period_ends_) {
    follow();
    period_ends_ = now + kPeriod;
    first_ = second_ = 0;
    requests_ = others_ = 0;
    bytes_ = 0;
  }
  if (thread == 0) return;  // nobody waits for it (RELEASE, FORGET), or he cannot be seen
  ++requests_;
  bytes_ += bytes;
  if (first_ == 0) first_ = second_ = thread;
  if (thread == first_ || thread == second_) return;
  if (second_ == first_) {
    second_ = thread;
  } else {
    ++others_;
  }
}

void CoreFollower::rest(TimePoint now) {
  if (now >= period_ends_ + kRest) stay_on(kAnywhere);
}

void CoreFollower::follow() {
  const bool takes_turns =
      requests_ >= kRequestsMin && others_ <= requests_ / 16 && bytes_ <= requests_ * kBytesMax;
  const auto core = takes_turns ? core_of(first_) : std::nullopt;
  const bool may = core && *core < CPU_SETSIZE && CPU_ISSET(*core, &allowed_);
  stay_on(may ? *core : kAnywhere);
}

void CoreFollower::stay_on(int core) {
  if (core == core_) return;
  cpu_set_t wanted = allowed_;
  if (core != kAnywhere) {
    CPU_ZERO(&wanted);
    CPU_SET(core, &wanted);
  }
  // It may be refused (a sandbox): then the thread runs where it may.
  if (::sched_setaffinity(0, sizeof wanted, &wanted) == 0) core_ = core;
}

}  // namespace aisfs::mount
