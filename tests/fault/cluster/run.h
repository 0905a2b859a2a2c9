// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/cluster/client.h"

namespace aisfs::tests::storm {

struct RunOptions {
  std::uint64_t seed = 1;
  Duration time = std::chrono::seconds(10);
  std::size_t clients = 16;
  std::vector<std::string> nemeses;  // at once
  std::string dir;                   // of the nodes; exists
  std::uint32_t copies = 1;          // of each object
  ErasureProps erasure;              // into what each is split
  bool strict = false;               // a request that took effect twice is wrong too
};

struct RunResult {
  Shape shape;
  Ledger::Totals totals;
  std::string done;                   // by the nemeses
  std::size_t deeds = 0;              // how many things that was
  std::string verdicts;               // of the checkers, a word each
  std::vector<std::string> repeated;  // keys where a request must have taken effect twice
  std::vector<std::string> wrong;     // what is broken; empty if nothing is
  std::string history_file;

  double answered_share() const {
    return totals.operations == 0
               ? 0
               : static_cast<double>(totals.answered) / static_cast<double>(totals.operations);
  }
};

/// One storm over a cluster of its own, whose shape and troubles follow from the seed.
RunResult run_storm(const RunOptions& options);

/// Whether there is a nemesis of this name.
bool is_trouble(std::string_view name);

/// One or two of the usual nemeses.
std::vector<std::string> draw_nemeses(std::uint64_t seed);

}  // namespace aisfs::tests::storm
