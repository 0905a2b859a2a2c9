// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/bucket.h"
#include "common/placement/hrw.h"

namespace aisfs::store {

class Mountpath;

/// What a mountpath that is out of reach may hold, and nobody else has.
struct Lack {
  std::string path, why;
  std::uint64_t digest = 0;                      // of the mountpath
  std::vector<std::vector<std::uint64_t>> held;  // digests: MountpathEntry::held
  std::optional<std::set<std::uint64_t>> buckets;
  Version newer_until;             // MountpathEntry::newer_until
  std::set<std::uint64_t> copied;  // MountpathEntry::copied

  bool may_hold(std::uint64_t key_digest) const {
    for (const auto& placement : held) {
      if (placement[placement::heaviest(placement, key_digest)] == digest) return true;
    }
    return false;
  }
  bool may_hold(BucketId bucket) const {
    return !copied.contains(bucket.value) && (!buckets || buckets->contains(bucket.value));
  }
  /// Whether what it may hold of a name may be newer than this. What a later map let in is newer
  /// than all that it has; and so is what this target has changed since: of one map, one target
  /// changes a name.
  bool may_supersede(Version known) const {
    if (!newer_until) return false;
    if (known.epoch != newer_until.epoch) return known.epoch < newer_until.epoch;
    return known.incarnation != newer_until.incarnation || known.hlc <= newer_until.hlc;
  }
};

/// Which mountpaths count at one moment. Immutable; lives as long as the store, and so do the
/// mountpaths, of which only those of the newest set are sure to be open.
struct MountpathSet {
  std::vector<Mountpath*> placing;     // names are placed on these; empty when all have failed
  std::vector<std::uint64_t> digests;  // theirs
  std::vector<Mountpath*> readable;    // these, and those that are being emptied
  /// Every name lies at its place and nowhere else.
  bool settled = true;
  std::vector<Lack> lacks;
  std::map<std::uint64_t, std::uint32_t> copies;  // MountpathTable::copies
  std::uint64_t turn = 0;    // how many there were before
  std::uint64_t losses = 0;  // how often one has got out of reach since the start

  Mountpath& place_of(std::uint64_t key_digest) const {
    return *placing[placement::heaviest(digests, key_digest)];
  }
  /// Whether names of the bucket lie on more than one.
  bool keeps_copies(BucketId bucket) const {
    return !copies.empty() && placing.size() > 1 && copies.contains(bucket.value);
  }
  /// Where a name of the bucket lies: first its place, then those of its copies.
  std::vector<Mountpath*> places_of(BucketId bucket, std::uint64_t key_digest) const {
    const auto kept = copies.find(bucket.value);
    const std::size_t count = kept == copies.end() ? 1 : kept->second;
    std::vector<Mountpath*> places;
    for (const std::size_t i : placement::heaviest(digests, key_digest, count)) {
      places.push_back(placing[i]);
    }
    return places;
  }
  /// What may hold the key out of reach; null: nothing.
  const Lack* lack_of(BucketId bucket, std::uint64_t key_digest) const {
    for (const Lack& lack : lacks) {
      if (lack.may_hold(key_digest) && !lack.copied.contains(bucket.value)) return &lack;
    }
    return nullptr;
  }
  /// What may hold something newer of it than what is known.
  const Lack* lack_of(BucketId bucket, std::uint64_t key_digest, Version known) const {
    for (const Lack& lack : lacks) {
      const bool may = lack.may_supersede(known) && lack.may_hold(key_digest);
      if (may && !lack.copied.contains(bucket.value)) return &lack;
    }
    return nullptr;
  }
  const Lack* lack_of(BucketId bucket) const {
    for (const Lack& lack : lacks) {
      if (lack.may_hold(bucket)) return &lack;
    }
    return nullptr;
  }
};

}  // namespace aisfs::store
