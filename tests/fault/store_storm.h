// SPDX-License-Identifier: MIT
// A storm of PUT, DELETE and GET over a Store, and the check of what is left after a crash.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "node/store/store.h"

namespace aisfs::tests {

/// What the writers promised to whom: in shared memory outside the file system under test, so it
/// survives the writer's death.
///
/// Operation n of a name is a delete when n % 5 == 0, else a PUT whose body says n. One writer a
/// name, one operation at a time: so the name must hold operation `acked`, or `started` when that
/// one was in flight. A quarter of the names keep their versions: of these each PUT after `base`
/// must be there.
struct StormLedger {
  static constexpr int kWriters = 8;
  static constexpr int kNames = 48;  // of each writer
  struct Name {
    std::atomic<std::uint64_t> started, acked, base;
  };
  std::atomic<bool> dying;  // from now on no acknowledgement counts
  std::atomic<std::uint64_t> operations;
  std::atomic<std::uint64_t> wrong_reads;
  Name names[kWriters][kNames];
};

/// Maps a new ledger, or one that a parent made.
StormLedger* map_ledger(const std::string& path);

struct StormOptions {
  std::vector<std::string> mountpaths;
  std::string ledger;
  /// Levels to draw from.
  std::vector<Durability> levels;
  /// A mountpath that is attached and emptied in turn meanwhile; "": none.
  std::string spare = {};
};

/// Runs until it is killed or a write fails; the exit status of the writer's process.
int run_storm(const StormOptions& options);

struct StormVerdict {
  std::uint64_t names = 0, objects = 0;
  std::uint64_t lost = 0;         // an acknowledged PUT is not there, or an older one is
  std::uint64_t versions = 0;     // kept ones that were looked at
  std::uint64_t resurrected = 0;  // an acknowledged DELETE is undone
  std::uint64_t torn = 0;         // bytes and metadata are not those of one PUT
  std::uint64_t listing = 0;      // LIST and HEAD disagree
  double open_seconds = 0;
  bool rebuilt = false;
  bool ok() const { return lost + resurrected + torn + listing == 0; }
};

/// Opens the store again and compares it with the ledger; then the ledger says what is there, so
/// that the next storm can go on.
StormVerdict check_storm(const StormOptions& options);

/// Starts `program` with `arguments` as a child; its process id.
int start_child(const std::vector<std::string>& arguments);
/// Runs a command to its end; false when it fails.
bool run_command(const std::string& command);
/// What this process and its children mount from now on nobody else sees. A file system that
/// somebody copied together with a namespace would live on after umount, and come back as it is.
/// Needs root; before other threads are started.
bool keep_mounts_to_itself();

}  // namespace aisfs::tests
