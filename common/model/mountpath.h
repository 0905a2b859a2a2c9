// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace aisfs {

/// How far a target is with moving names between its own mountpaths.
struct ResilverProgress {
  bool running = false;
  std::int64_t started_ns = 0, ended_ns = 0;
  std::uint64_t names_seen = 0, names_total = 0;   // of this look at them
  std::uint64_t names_moved = 0, bytes_moved = 0;  // since it began
  std::uint64_t names_left = 0;                    // that could not be moved in this look
  std::string why;                                 // of one of these

  bool operator==(const ResilverProgress&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(running, started_ns, ended_ns, names_seen, names_total, names_moved, bytes_moved, names_left,
       why);
  }
};

/// A mountpath of a target as its administrator sees it.
struct MountpathInfo {
  std::string path;
  std::string state;  // active, disabling, detaching, disabled, failed, missing, detached
  std::string why;    // it failed or is missing, or is nearly full
  std::string fs;     // of one that is open, as is all that follows
  std::uint64_t total_bytes = 0, available_bytes = 0;  // of its file system
  std::uint64_t objects = 0, used_bytes = 0;           // of objects
  /// What it may hold and nobody else has is answered not_ready.
  bool lacking = false;

  bool is_open() const { return !fs.empty(); }
  bool operator==(const MountpathInfo&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(path, state, why, fs, total_bytes, available_bytes, objects, used_bytes, lacking);
  }
};

/// What a target says of its mountpaths.
struct StorageInfo {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;

  std::vector<MountpathInfo> mountpaths;
  bool settled = true;  // every name lies on its mountpath
  ResilverProgress resilver;

  bool operator==(const StorageInfo&) const = default;
  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(mountpaths, settled, resilver);
  }
};

/// What an administrator has done with a mountpath of a target.
enum class MountpathAction : std::uint8_t {
  kAttach = 1,   // a new one, or one that is back
  kDetach = 2,   // its names move to the others, then the target has it no more
  kEnable = 3,   // one that was disabled, failed or missing is there again
  kDisable = 4,  // its names move to the others; it stays known
  kGiveUp = 5,   // of one that is out of reach: what only it held is lost, and it may not come back
};

struct MountpathChange {
  MountpathAction action{};
  std::string path;
  /// Of kDetach and kDisable: it goes at once, with the names that are on it.
  bool skip_resilver = false;
};

}  // namespace aisfs
