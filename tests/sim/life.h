// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/async/task.h"

namespace aisfs::tests::sim {

/// One life of a cluster. What is 0 or empty follows from the seed.
struct LifeOptions {
  std::uint64_t seed = 1;
  Duration time{};  // of troubles
  std::size_t clients = 0, keys = 0, gateways = 0, targets = 0;
  std::uint32_t copies = 0, movers = 0;
  std::uint32_t disk_copies = 1;  // of each of these; no seed draws it
  std::string slices;  // D+P or off
  std::vector<std::string> troubles;
  std::string mutation;  // what is broken on purpose
  bool verbose = false;  // the nodes' logs go to stderr
};

struct LifeResult {
  std::string shape;  // for people
  std::string done;   // by the troubles
  std::size_t operations = 0, answered = 0, moves = 0;
  std::uint64_t trace = 0;  // of all that happened
  std::uint64_t switches = 0, disk_steps = 0, messages = 0;
  double lasted = 0;               // simulated seconds
  std::vector<std::string> wrong;  // what is broken; empty if nothing is
};

/// Fills in what follows from the seed.
LifeOptions drawn(LifeOptions options);

/// Once in a process, which is of no other use afterwards: threads of nodes that were killed stand
/// still in it. /tmp/aisfs-sim is an empty folder.
LifeResult live(const LifeOptions& options);

}  // namespace aisfs::tests::sim
