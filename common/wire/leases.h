// SPDX-License-Identifier: MIT
// Leases: what a mount was told of a name it may believe until it hears otherwise.
//
// A mount has a session at every target. `POST /v1/x/lease_poll` keeps it and brings the names that
// others have changed. A lookup (or a change) of a name that carries the session in Ais-Session
// lets the mount believe the answer: before a change by anybody else is acknowledged, the mount has
// been told, which its next poll confirms, or its session has run out. The mount counts a session
// from when it sent the poll, the target from when it came.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::wire {

inline constexpr std::string_view kLeasePollMethod = "lease_poll";
/// On any request of a mount: its session, 16 hex digits.
inline constexpr std::string_view kSessionHeader = "Ais-Session";

inline constexpr std::chrono::nanoseconds kLeaseLength = std::chrono::seconds(5);
/// A poll is answered after this long even if nothing changed.
inline constexpr std::uint32_t kLeasePollMsMax = 1'000;

struct LeasePollRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::uint64_t session = 0;
  std::string instance;     // of the target, as it named itself in its last reply; "": none
  Epoch epoch = 0;          // the newest map that the mount goes by
  std::uint64_t heard = 0;  // LeasePollReply::last of the reply before
  std::uint32_t wait_ms = 0;
  bool ends = false;  // the mount believes nothing any more

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(session, instance, epoch, heard, wait_ms, ends);
  }
};

/// Changed by somebody else: whatever was known of it is void. "" is the bucket itself.
struct ChangedName {
  BucketId bucket;
  std::string path;  // without the last '/' of a directory

  template <class A>
  void serialize(A& ar) {
    ar(bucket, path);
  }
};

struct LeasePollReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  /// Another than the request named: the session begins now, and nothing from before counts.
  std::string instance;
  Epoch epoch = 0;         // newer than the mount's: what it believes by the old map is void
  std::uint64_t last = 0;  // number of the last change in this reply
  bool all = false;        // everything believed of this target's names is void
  std::vector<ChangedName> changes;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(instance, epoch, last, all, changes);
  }
};

}  // namespace aisfs::wire
