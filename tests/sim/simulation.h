// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "tests/sim/os/disk.h"
#include "tests/sim/os/network.h"
#include "tests/sim/os/scheduler.h"

namespace aisfs::tests::sim {

/// The machine whose folder that is: its last component.
std::string machine_name(const std::string& dir);

/// Makes the calling thread the first of a simulation, with a network and disks; once in a process.
void begin_simulation(std::uint64_t seed, bool verbose);
/// The volume at that path as it is now, if another folder has taken its place.
void open_volume(const std::string& path);

/// The machine whose folder is `dir` stops at once, with all that is not on its disks.
void cut_power(const std::string& dir, Process* process);

}  // namespace aisfs::tests::sim
