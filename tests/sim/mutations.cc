// SPDX-License-Identifier: MIT
#include "tests/sim/mutations.h"

#include "tests/sim/simulation.h"

namespace aisfs::tests::sim {

void begin_mutation(std::string_view name) {
  if (name == "sync-lies") Disk::current()->set_lying(true);
}
bool is_mutation(std::string_view name) { return name == "sync-lies"; }

}  // namespace aisfs::tests::sim
