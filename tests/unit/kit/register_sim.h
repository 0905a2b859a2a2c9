// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <random>

#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

using Random = std::mt19937_64;

/// A number from 0 to `end` - 1; the same on every machine.
inline std::uint64_t below(Random& random, std::uint64_t end) { return random() % end; }
inline bool percent(Random& random, std::uint64_t chance) { return below(random, 100) < chance; }

struct SimOptions {
  std::uint32_t clients = 5;
  std::uint32_t keys = 1;
  std::size_t operations = 300;
  std::uint64_t unknown_percent = 8;  // of the mutations; the client is gone and a new one comes
  std::uint32_t listings = 0;         // by a client of their own
  std::uint64_t epoch_every = 50;     // operations
};

/// The history of a perfect store: each operation takes effect at one moment between its
/// invocation and its return; unknown ones at any later moment, or never. Bodies are unique, every
/// reply carries a version.
Operations simulate(const SimOptions& options, Random& random);

/// At most 8 operations on one key with results out of thin air, of few values.
Operations invent(Random& random);

}  // namespace aisfs::tests::history
