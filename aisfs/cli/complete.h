// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "aisfs/cli/command_line.h"

namespace aisfs::cli {

/// What may stand where the cursor is.
struct CompletionRequest {
  std::string word;                // as far as it is typed
  std::vector<std::string> fixed;  // commands and options that fit
  Names names = Names::kText;      // what else may stand here
};

/// Reads a command line up to the cursor, program name first, against the declarations. Pure.
CompletionRequest complete_line(const Command& root, std::string_view line);

/// The script for `eval "$(ais completion bash)"`.
std::string_view bash_completion_script();

}  // namespace aisfs::cli
