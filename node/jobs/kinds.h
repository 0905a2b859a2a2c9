// SPDX-License-Identifier: MIT
// The kinds that there are, a file each.
#pragma once
#include "node/jobs/kind.h"

namespace aisfs::jobs {

const Kind& copy_names();    // copy-bck, copy-listrange
const Kind& move_names();    // move-bck
const Kind& remove_names();  // delete-listrange

// What targets do by themselves, started by hand (node_work.cc).
const Kind& start_rebalance();
const Kind& start_resilver();
const Kind& start_scrub();
const Kind& start_cleanup();
const Kind& start_encode();  // ec-encode

}  // namespace aisfs::jobs
