// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/model/bucket.h"

namespace aisfs {

/// A name whose bytes on a target are not what was written, and that has not been healed.
struct DamagedName {
  BucketName bucket;
  std::string key;    // of a version that is kept: a version key
  bool lost = false;  // nobody has a good copy of it; else somebody may who does not answer
  std::string why;
  std::int64_t seen_ns = 0;

  bool operator==(const DamagedName&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(bucket, key, lost, why, seen_ns);
  }
};

/// How far a target is with looking at all that lies on its disks.
struct ScrubProgress {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  bool running = false;
  std::int64_t started_ns = 0, ended_ns = 0;  // of this pass, or the last; ended: 0 while it runs
  std::int64_t next_ns = 0;                   // when one begins by itself; 0: never
  std::uint64_t objects = 0, bytes = 0;       // looked at
  std::uint64_t objects_total = 0;            // as counted at the start
  std::uint64_t damaged = 0, healed = 0, lost = 0;  // of them
  std::vector<DamagedName> names;                   // that are not healed now, a thousand at most

  bool operator==(const ScrubProgress&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(running, started_ns, ended_ns, next_ns, objects, bytes, objects_total, damaged, healed, lost,
       names);
  }
};

/// What a target is told about its scrub.
enum class ScrubAction : std::uint8_t {
  kShow = 0,
  kStart = 1,  // a pass from the beginning, now; nothing while one runs
  kStop = 2,   // ends the one that runs
};

}  // namespace aisfs
