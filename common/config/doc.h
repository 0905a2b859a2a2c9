// SPDX-License-Identifier: MIT
// Settings as text for people, all from the declarations.
#pragma once
#include <string>
#include <string_view>

#include "common/config/param.h"

namespace aisfs::config {

/// The list of settings as roff for a page of section 5: name, kind, default, range, meaning.
std::string man_table(const Section& root);

/// The lines of --help: "  --section.name SIZE   meaning (default 64MiB)".
std::string help_text(const Section& root);

/// The current values as a file that apply_text takes back.
std::string show_text(const Section& root);

}  // namespace aisfs::config
