// SPDX-License-Identifier: MIT
// Leases: what a mount was told of a name it may believe until it hears otherwise.
//
// A mount has a session at every target. `POST /v1/x/lease_poll` keeps it and brings the names that
// others have changed. A lookup (or a change) of a name that carries the session in Ais-Session
// lets the mount believe the answer: before a change by anybody else is acknowledged, the mount has
// been told, which its next poll confirms, or its session has run out. The mount counts a session
// from when it sent the poll, the target from when it came.
//
// A directory, with all below it, can be delegated: `POST /v1/x/delegate` to every active target.
// While all of them have granted it, nobody else reads or changes a name below it: whoever tries
// makes its target recall the delegation by the next poll, and waits until the mount has sent what
// it had not sent yet and has given the delegation back (`ends`), until its session has run out, or
// for the length of a lease after it heard of the recall.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::wire {

inline constexpr std::string_view kLeasePollMethod = "lease_poll";
inline constexpr std::string_view kDelegateMethod = "delegate";
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

/// A directory whose delegation is to be given back.
struct RecalledDirectory {
  std::uint64_t id = 0;  // of the delegation
  BucketId bucket;
  std::string path;

  template <class A>
  void serialize(A& ar) {
    ar(id, bucket, path);
  }
};

struct LeasePollReply {
  static constexpr std::uint16_t kVersion = 2, kCompat = 1;
  /// Another than the request named: the session begins now, and nothing from before counts.
  std::string instance;
  Epoch epoch = 0;         // newer than the mount's: what it believes by the old map is void
  std::uint64_t last = 0;  // number of the last change in this reply
  bool all = false;        // everything believed of this target's names is void
  std::vector<ChangedName> changes;
  std::vector<RecalledDirectory> recalls;

  template <class A>
  void fields(A& ar, std::uint16_t version) {
    ar(instance, epoch, last, all, changes);
    if (version >= 2) ar(recalls);
  }
};

/// Asks for a directory, or gives it back; refused as busy while others are at work below it.
struct DelegateRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  /// Of the mount's, grows with every asking: requests that overtake each other do no harm.
  std::uint64_t id = 0;
  BucketName bucket;
  std::string path;  // "": the whole bucket
  bool ends = false;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, bucket, path, ends);
  }
};

}  // namespace aisfs::wire
