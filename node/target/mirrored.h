// SPDX-License-Identifier: MIT
// What the parts of the Replicator share.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "common/async/clock.h"
#include "common/model/cluster_map.h"
#include "common/model/version_key.h"
#include "node/store/store.h"
#include "node/target/copy_time.h"

namespace aisfs::target {

/// All that is kept of a name comes with it.
inline store::Key plain_of(store::Key key) {
  if (is_version_key(key.key())) key.name.key = plain_key(key.key());
  key.versioning = Versioning::kOff;
  return key;
}

/// Whether a change is acknowledged when it has other copies than the first one, on other targets
/// or on other disks of this one.
inline bool is_mirrored(const Bucket* bucket) {
  return bucket != nullptr && (bucket->props.copies > 1 || bucket->props.disk_copies > 1);
}

/// The same, as long as the disks still do what the bucket does not want any more.
inline bool is_mirrored(const store::Store& store, const Bucket* bucket) {
  return is_mirrored(bucket) || (bucket != nullptr && store.copies_kept(bucket->id) > 1);
}

inline Error not_there_yet(const std::string& what) {
  return Error(Errc::not_ready, what + " has not all its copies yet");
}

inline constexpr Duration kCopyCallMax = std::chrono::seconds(10);  // one message without a body

inline Duration time_of_call(std::uint64_t bytes) { return kCopyCallMax + time_of_copy(bytes); }

inline std::uint64_t bytes_of(const std::vector<store::NameState>& states) {
  std::uint64_t sum = 0;
  for (const store::NameState& state : states) sum += state.size;
  return sum;
}

}  // namespace aisfs::target
