// SPDX-License-Identifier: MIT
// Values of the versioned key-value store that holds the control plane, as they are stored and
// sent. The words and their meaning are etcd's.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aisfs::meta {

/// Counts the changes of the whole store; the first change is 2 (an empty store is at 1).
using Revision = std::int64_t;
/// 0 is none.
using LeaseId = std::int64_t;

struct KeyValue {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string key;
  std::string value;
  Revision create_revision = 0;
  Revision mod_revision = 0;
  std::int64_t version = 0;  // 1 at creation, + 1 for every put since
  LeaseId lease = 0;         // the key goes when this lease ends

  bool operator==(const KeyValue&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(key, value, create_revision, mod_revision, version, lease);
  }
  template <class A>
  void fields(A& ar, std::uint16_t) {
    serialize(ar);
  }
};

/// [begin, end), or the one key `begin` when `end` is empty.
struct Range {
  std::string begin;
  std::string end;

  bool has(const std::string& key) const {
    return end.empty() ? key == begin : key >= begin && key < end;
  }
  template <class A>
  void serialize(A& ar) {
    ar(begin, end);
  }
};

/// All keys that begin with `prefix` (not empty, does not end in 0xff).
inline Range prefix_range(std::string prefix) {
  std::string end = prefix;
  end.back() = static_cast<char>(end.back() + 1);
  return {std::move(prefix), std::move(end)};
}

struct GetRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Range range;
  Revision revision = 0;    // 0: now
  std::uint32_t limit = 0;  // 0: all

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(range, revision, limit);
  }
};
struct GetReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Revision revision = 0;  // of the store when it was read
  std::vector<KeyValue> kvs;  // by key
  bool more = false;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(revision, kvs, more);
  }
};

/// A key that is not there has version and revisions 0, and its value compares as unequal.
struct Compare {
  enum class What : std::uint8_t { kVersion, kCreateRevision, kModRevision, kValue };
  enum class Is : std::uint8_t { kEqual, kNotEqual, kLess, kGreater };
  std::string key;
  What what = What::kModRevision;
  Is is = Is::kEqual;
  std::int64_t number = 0;
  std::string value;

  template <class A>
  void serialize(A& ar) {
    ar(key, what, is, number, value);
  }
};

struct Step {
  enum class Kind : std::uint8_t { kPut, kRemove, kGet };
  Kind kind = Kind::kGet;
  Range range;  // of a put: the key
  std::string value;
  LeaseId lease = 0;

  template <class A>
  void serialize(A& ar) {
    ar(kind, range, value, lease);
  }
};
inline Step put_step(std::string key, std::string value, LeaseId lease = 0) {
  return {Step::Kind::kPut, {std::move(key), {}}, std::move(value), lease};
}
inline Step remove_step(std::string key) {
  return {Step::Kind::kRemove, {std::move(key), {}}, {}, 0};
}

struct TxnRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<Compare> compares;  // all must hold
  std::vector<Step> then;
  std::vector<Step> otherwise;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(compares, then, otherwise);
  }
};
struct StepReply {
  std::int64_t removed = 0;
  std::vector<KeyValue> kvs;  // of a get

  template <class A>
  void serialize(A& ar) {
    ar(removed, kvs);
  }
};
struct TxnReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  bool succeeded = false;  // the compares held
  Revision revision = 0;   // of the store after it
  std::vector<StepReply> steps;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(succeeded, revision, steps);
  }
};

struct Event {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  bool removed = false;
  KeyValue kv;  // of a removal: the key and the revision that removed it
  std::optional<KeyValue> previous;

  template <class A>
  void serialize(A& ar) {
    ar(removed, kv, previous);
  }
  template <class A>
  void fields(A& ar, std::uint16_t) {
    serialize(ar);
  }
};

struct WatchRequest {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Range range;
  Revision from = 0;          // the first revision of interest
  std::int64_t wait_ns = 0;   // for the first event

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(range, from, wait_ns);
  }
};
struct WatchReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  Revision next = 0;          // watch from here next
  std::vector<Event> events;  // whole revisions, in order; empty when the wait is over

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(next, events);
  }
};

struct LeaseRequest {  // grant (ttl), keep_alive and revoke (id)
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  LeaseId id = 0;
  std::int64_t ttl_ns = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, ttl_ns);
  }
};
struct LeaseReply {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  LeaseId id = 0;
  std::int64_t ttl_ns = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, ttl_ns);
  }
};

}  // namespace aisfs::meta
