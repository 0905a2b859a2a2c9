// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "aisfs/cli/command_line.h"
#include "common/model/job.h"

namespace aisfs::cli {

/// --list and --template of commands that are about some names of a bucket.
struct NamesArguments {
  std::string list, name_template;

  bool any() const { return !list.empty() || !name_template.empty(); }
};
void declare_names(Command& command, NamesArguments& into);
/// invalid_argument for both at once, and for a list without a name.
Status set_names(const NamesArguments& given, JobSpec& spec);

}  // namespace aisfs::cli
