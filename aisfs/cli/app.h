// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "aisfs/cli/credentials.h"
#include "aisfs/cli/session.h"
#include "common/async/runtime.h"

namespace aisfs::cli {

/// The whole program but for its process: parses, connects if the command needs it, runs the
/// command on shard 0 of the runtime (which has started), prints, returns the exit status.
/// SIGINT cancels the command and waits for it.
int run_ais(std::vector<std::string> arguments,
            Runtime& runtime,
            Output& out,
            const Environment& environment,
            Connect connect,
            ReadLine read_line = read_line_of_process());

}  // namespace aisfs::cli
