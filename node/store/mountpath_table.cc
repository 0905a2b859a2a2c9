// SPDX-License-Identifier: MIT
#include "node/store/mountpath_table.h"

#include <algorithm>

namespace aisfs::store {
namespace {

// More are summed up: then a mountpath may hold any name.
constexpr std::size_t kPlacementsMax = 8;

bool has(const PlacedOn& placement, std::string_view path) {
  return std::find(placement.begin(), placement.end(), path) != placement.end();
}

/// Placements by which each of these may hold any name.
void add_alone(std::vector<PlacedOn>& to, const std::vector<PlacedOn>& placements) {
  std::set<std::string> all;
  for (const PlacedOn& placement : placements) all.insert(placement.begin(), placement.end());
  for (const std::string& path : all) to.push_back({path});
}

}  // namespace

MountpathEntry* MountpathTable::find(std::string_view path) {
  for (MountpathEntry& entry : entries) {
    if (entry.path == path) return &entry;
  }
  return nullptr;
}

const MountpathEntry* MountpathTable::find(std::string_view path) const {
  return const_cast<MountpathTable*>(this)->find(path);
}

const MountpathEntry* MountpathTable::find_uuid(std::string_view uuid) const {
  const auto it = std::find_if(entries.begin(), entries.end(),
                               [&](const MountpathEntry& entry) { return entry.uuid == uuid; });
  return it == entries.end() ? nullptr : &*it;
}

PlacedOn MountpathTable::active() const {
  PlacedOn paths;
  for (const MountpathEntry& entry : entries) {
    if (entry.state == MountpathEntry::State::kActive) paths.push_back(entry.path);
  }
  return paths;
}

void MountpathTable::place_anew() {
  PlacedOn now = active();
  if (!placements.empty() && placements.back() == now) return;
  if (placements.size() >= kPlacementsMax) {
    std::vector<PlacedOn> any;
    add_alone(any, placements);
    placements = std::move(any);
  }
  placements.push_back(std::move(now));
}

void MountpathTable::settle() {
  settled = true;
  stale = false;
  placements = {active()};
}

void MountpathTable::keep(std::map<std::uint64_t, std::uint32_t> wanted) {
  copies = std::move(wanted);
  unsettle();
}

/// What is a copy no more, or was not made, is not brought up to date either.
void MountpathTable::unsettle() {
  settled = false;
  stale = true;
}

void MountpathTable::lose(MountpathEntry& entry,
                          MountpathEntry::State state,
                          std::string why,
                          Leaving now) {
  if (entry.is_open()) {
    entry.held.clear();
    entry.newer_until = stale ? now.last : Version();
    entry.lost_at = now.last;
    entry.replicated = now.replicated;
    entry.copied.clear();
    for (const auto& [bucket, count] : copies) {
      if (settled && active().size() > 1) entry.copied.insert(bucket);
    }
    for (const PlacedOn& placement : placements) {
      if (has(placement, entry.path)) entry.held.push_back(placement);
    }
  }
  entry.state = state;
  entry.why = std::move(why);
  // Names that were placed on others stay where they are: that is what makes it rendezvous hashing.
  // Copies are to be made again.
  settled = settled && copies.empty();
  settled ? settle() : place_anew();
}

void MountpathTable::bring_back(MountpathEntry& entry) {
  settled = false;
  if (!entry.held.empty()) {
    stale = true;
    for (MountpathEntry& other : entries) {
      if (&other != &entry && other.is_lacking()) other.newer_until = other.lost_at;
    }
  }
  placements.insert(placements.begin(), entry.held.begin(), entry.held.end());
  entry.state = MountpathEntry::State::kActive;
  entry.why.clear();
  entry.held.clear();
  entry.buckets.reset();
  entry.copied.clear();
  entry.newer_until = entry.lost_at = {};
  entry.replicated = 0;
  place_anew();
}

std::string_view text_of(MountpathEntry::State state) {
  switch (state) {
    case MountpathEntry::State::kActive:
      return "active";
    case MountpathEntry::State::kDisabling:
      return "disabling";
    case MountpathEntry::State::kDetaching:
      return "detaching";
    case MountpathEntry::State::kDisabled:
      return "disabled";
    case MountpathEntry::State::kFailed:
      return "failed";
    case MountpathEntry::State::kMissing:
      return "missing";
    case MountpathEntry::State::kDetached:
      return "detached";
    case MountpathEntry::State::kGivenUp:
      return "given up";
  }
  return "?";
}

}  // namespace aisfs::store
