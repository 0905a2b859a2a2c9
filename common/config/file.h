// SPDX-License-Identifier: MIT
// Where settings come from: a file, the environment, the command line.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/config/param.h"

namespace aisfs::config {

/// Longest configuration file that is read.
inline constexpr std::size_t kFileBytesMax = 1 << 20;

/// Applies the lines of a configuration: `key = value`, `[section]`, dotted keys, '#' comments,
/// values optionally in double quotes. Errors name `source`, the line, the key and what is allowed;
/// a key that is set twice is an error. Lines before the first error stay applied.
Status apply_text(Section& root, std::string_view text, std::string_view source);

/// Reads and applies a file. not_found when it is not there, too_large over kFileBytesMax.
Status apply_file(Section& root, const std::string& path);

/// Applies PREFIX_SECTION_NAME of `environment` ("NAME=value" each, as environ). A variable with
/// the prefix that names no setting is an error.
Status apply_environment(Section& root,
                         std::string_view prefix,
                         const std::vector<std::string>& environment);

/// Applies --section.name=value and --section.name value ('-' in a name counts as '_'; a lone
/// --flag of true|false sets it to true) and returns what is left: arguments that are no flags.
Result<std::vector<std::string>> apply_arguments(Section& root,
                                                 const std::vector<std::string>& arguments);

}  // namespace aisfs::config
