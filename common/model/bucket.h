// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/strong.h"

namespace aisfs {

/// Given once at creation and never again: a re-created bucket of the same name does not see the
/// objects of its predecessor. 0 is none. The upper half is the epoch in which it was made.
using BucketId = Strong<std::uint64_t, struct BucketIdTag>;

inline std::uint32_t epoch_of(BucketId id) { return static_cast<std::uint32_t>(id.value >> 32); }

/// provider, namespace and name, as AIStore writes them.
struct BucketName {
  std::string provider = "ais";  // ais, aws, gcp, azure, ht
  std::string ns;                // "" (global) or "@uuid#name"
  std::string name;

  auto operator<=>(const BucketName&) const = default;

  /// "ais/@#/name/": what placement hashes, and the key of the bucket in the map.
  std::string uname() const;
  /// "ais://name" or "ais://@uuid#ns/name", for people and error texts.
  std::string display() const;

  template <class A>
  void serialize(A& ar) {
    ar(provider, ns, name);
  }
};

/// A native bucket of the global namespace.
BucketName native_bucket(std::string name);

/// invalid_argument unless the name is 1..64 of [A-Za-z0-9_.-], has no "..", no leading '.'.
Status validate_bucket_name(std::string_view name);
/// S3's stricter rule: 3..63 of [a-z0-9.-], begins and ends with a letter or digit, no "..", no IPv4.
Status validate_s3_bucket_name(std::string_view name);

/// How much an acknowledgement promises. Ordered: a higher level includes the lower ones.
enum class Durability : std::uint8_t {
  kNone = 0,  // survives kill -9
  kData = 1,  // contents synced before they are published
  kFull = 2,  // survives power loss
};
/// "none", "data", "full".
std::string_view to_string(Durability level);
Result<Durability> parse_durability(std::string_view text);

/// When the bytes of a read are compared with their hashes.
enum class VerifyRead : std::uint8_t { kFirst = 0, kAlways = 1, kNever = 2 };
std::string_view to_string(VerifyRead mode);
Result<VerifyRead> parse_verify_read(std::string_view text);

/// Whether an object that is overwritten or removed is kept. What was once enabled is never off
/// again, because versions may be there.
enum class Versioning : std::uint8_t {
  kOff = 0,
  kEnabled = 1,
  kSuspended = 2,  // older versions stay; new ones replace the one without an id ("null")
};
/// "off", "enabled", "suspended".
std::string_view to_string(Versioning mode);
Result<Versioning> parse_versioning(std::string_view text);

/// Into how many slices the objects of a bucket are split (erasure coding), each on a target of its
/// own, and how many of these may be lost. Smaller objects are kept as parity + 1 copies.
struct ErasureProps {
  static constexpr std::uint8_t kMost = 16;  // of either kind

  std::uint8_t data = 0;  // 0: objects are not split
  std::uint8_t parity = 0;
  bool later = false;  // acknowledged with all copies, split in the background
  std::uint64_t least_bytes = 256 * 1024;

  bool operator==(const ErasureProps&) const = default;
  bool enabled() const { return data != 0; }
  unsigned slices() const { return unsigned{data} + parity; }

  template <class A>
  void serialize(A& ar) {
    ar(data, parity, later, least_bytes);
  }
};

/// "4+2", "off".
std::string to_string(const ErasureProps& erasure);
/// Both numbers of "4+2", 1 to 16 each; "off". The rest stays as it is in `erasure`.
Status parse_geometry(std::string_view text, ErasureProps& erasure);

/// What an administrator may set of a bucket.
struct BucketProps {
  std::uint32_t copies = 1;  // of each object, on so many targets
  Durability write_level = Durability::kFull;
  Durability close_level = Durability::kNone;  // of the mount's close(2), rename(2), unlink(2)
  VerifyRead verify_read = VerifyRead::kFirst;
  Versioning versioning = Versioning::kOff;
  std::uint64_t access = ~std::uint64_t{0};  // AIStore's permission bits
  std::string acl;  // S3's canned ACL of the bucket itself; "" is private
  std::string cors;  // S3's CORSConfiguration, as its XML; "": there is none
  /// What else S3 clients configure, by name ("tagging", "location"), as the S3 front writes it.
  /// Nobody else reads it, so another configuration needs no other format. Bounded by kS3BytesMax.
  std::map<std::string, std::string> s3;
  ErasureProps erasure;
  std::uint32_t disk_copies = 1;  // of what a target holds, on so many of its mountpaths

  /// Of a bucket that is to be made: two copies where targets are on different hosts, else one.
  static constexpr std::uint32_t kAutoCopies = 0;

  // Of names and values: the map is in the memory of every node and mount.
  static constexpr std::size_t kS3BytesMax = 64 * 1024;

  bool operator==(const BucketProps&) const = default;

  /// Without `s3`, `erasure` and `disk_copies`, which are younger; see Bucket::later, latest and
  /// newest.
  template <class A>
  void serialize(A& ar) {
    ar(copies, write_level, close_level, verify_read, versioning, access, acl, cors);
  }
};

struct Bucket {
  BucketId id;
  BucketName name;
  std::string owner;  // user id
  std::int64_t created_ns = 0;
  BucketProps props;
  /// Names may lie below directories that have no marker, as S3 clients make them; once true it
  /// stays so. While false, what a path is is known at its owner alone.
  bool implied_dirs = false;

  bool operator==(const Bucket&) const = default;

  template <class A>
  void serialize(A& ar) {
    ar(id, name, owner, created_ns, props, implied_dirs);
  }
  /// What the second version of every envelope with buckets has of each of them, in their order,
  /// behind all that the first has: an old reader stops before it, and for an old writer it is as
  /// if nothing were configured.
  template <class A>
  void later(A& ar) {
    ar(props.s3);
  }
  /// What the version after that has behind it, in the same way.
  template <class A>
  void latest(A& ar) {
    ar(props.erasure);
  }
  /// And what the one after that has.
  template <class A>
  void newest(A& ar) {
    ar(props.disk_copies);
  }
};

}  // namespace aisfs
