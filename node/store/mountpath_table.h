// SPDX-License-Identifier: MIT
// %mountpaths: which mountpaths the target has, on every one of them. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/bucket.h"
#include "common/model/version.h"
#include "common/wire/envelope.h"

namespace aisfs::store {

/// Mountpaths that names were placed on at the same time, by their paths.
using PlacedOn = std::vector<std::string>;

/// A mountpath that the target has, or had.
struct MountpathEntry {
  /// Travels on disk: append only.
  enum class State : std::uint8_t {
    kActive = 0,
    kDisabling = 1,  // names move away; then it is kDisabled
    kDetaching = 2,  // names move away; then it is kDetached
    kDisabled = 3,   // by an administrator
    kFailed = 4,     // by its disk
    kMissing = 5,    // was not there at a start
    kDetached = 6,   // the target has it no more; the configuration may still name it
    kGivenUp = 7,    // so, and what it held is lost: it may not come back with it
  };

  std::string path, uuid;
  State state = State::kActive;
  std::string why;  // it failed or is missing
  std::uint32_t stamped = 0;  // the last start that it took part in: what has an older stamp is an old copy
  /// Of one that is out of reach: each placement by which it may hold names that nobody else has.
  /// Empty: it holds nothing that matters.
  std::vector<PlacedOn> held;
  /// Buckets that it may have something of; nullopt: of any.
  std::optional<std::set<std::uint64_t>> buckets;
  /// Names are known here in states older than what it has, made by this version of this target's
  /// or before (Lack::may_supersede). None: what is known of a name is newer.
  Version newer_until;
  Version lost_at;  // the newest that this target had made when it went
  /// Changes of the target up to this clock had their copies elsewhere when it went.
  std::uint64_t replicated = 0;
  /// Buckets of which other mountpaths had all that anybody was told of when it went.
  std::set<std::uint64_t> copied;

  bool is_open() const { return state <= State::kDetaching; }
  bool is_emptied() const { return state == State::kDisabling || state == State::kDetaching; }
  /// It may hold what nobody else has, and cannot be read.
  bool is_lacking() const { return !is_open() && !held.empty(); }
  /// The target still reckons with it.
  bool is_known() const { return state < State::kDetached; }

  bool operator==(const MountpathEntry&) const = default;
  template <class A>
  void serialize(A& ar) {
    auto raw = static_cast<std::uint8_t>(state);
    std::optional<std::vector<std::uint64_t>> some;
    if (buckets) some.emplace(buckets->begin(), buckets->end());
    ar(path, uuid, raw, why, held, some, stamped);
    state = static_cast<State>(raw);
    buckets.reset();
    if (some) buckets.emplace(some->begin(), some->end());
  }
};

/// How things are with the target when a mountpath goes.
struct Leaving {
  Version last;                  // the newest version that was given
  std::uint64_t replicated = 0;  // all changes up to this clock have their copies elsewhere
};

struct MountpathTable {
  static constexpr std::uint16_t kVersion = 3, kCompat = 1;

  std::uint64_t version = 0;  // the highest one counts
  std::vector<MountpathEntry> entries;
  /// Every name lies at its place and nowhere else.
  bool settled = true;
  /// While that is not so: some may be known here in states that are older than elsewhere here.
  bool stale = false;
  /// The placements since that was true, the one of now last.
  std::vector<PlacedOn> placements;
  /// By the ids of buckets whose names lie on several mountpaths: on how many, or on all if there
  /// are fewer. It is so when `settled`.
  std::map<std::uint64_t, std::uint32_t> copies;

  MountpathEntry* find(std::string_view path);
  const MountpathEntry* find(std::string_view path) const;
  const MountpathEntry* find_uuid(std::string_view uuid) const;
  /// The mountpaths that names are placed on.
  PlacedOn active() const;

  /// Names are placed on active() from now on.
  void place_anew();
  /// All of them are there.
  void settle();
  /// So many copies are to be kept from now on, and one in buckets that are not among these.
  void keep(std::map<std::uint64_t, std::uint32_t> wanted);
  /// Not all names have their copies.
  void unsettle();
  /// The mountpath goes out of reach with what it holds, for `state`.
  void lose(MountpathEntry& entry, MountpathEntry::State state, std::string why, Leaving now);
  /// The mountpath is back, with names of whatever placement it knew, and if it had any, maybe in
  /// older states than those that are still out of reach have.
  void bring_back(MountpathEntry& entry);

  bool operator==(const MountpathTable&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t format) {
    ar(version, entries, settled, placements);
    if (format < 2) return;
    std::vector<Version> newer, lost;
    std::vector<std::uint64_t> replicated;
    for (const MountpathEntry& entry : entries) {
      newer.push_back(entry.newer_until);
      lost.push_back(entry.lost_at);
      replicated.push_back(entry.replicated);
    }
    ar(stale, newer, lost, replicated);
    newer.resize(entries.size());
    lost.resize(entries.size());
    replicated.resize(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].newer_until = newer[i];
      entries[i].lost_at = lost[i];
      entries[i].replicated = replicated[i];
    }
    if (format < 3) return;
    std::vector<std::vector<std::uint64_t>> copied;
    for (const MountpathEntry& entry : entries) {
      copied.emplace_back(entry.copied.begin(), entry.copied.end());
    }
    ar(copies, copied);
    copied.resize(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].copied = {copied[i].begin(), copied[i].end()};
    }
  }
};

std::string_view text_of(MountpathEntry::State state);

}  // namespace aisfs::store
