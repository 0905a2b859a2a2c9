// SPDX-License-Identifier: MIT
#include "common/config/doc.h"

#include "common/base/text.h"

namespace aisfs::config {
namespace {

/// '-' and '\' mean something to roff, and so do '.' and '\'' at the beginning of a line.
std::string roff(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string default_text(const ParamBase& param) {
  const std::string shown = param.show_default();
  return shown.empty() ? "none" : shown;
}

}  // namespace

std::string man_table(const Section& root) {
  std::string out;
  root.visit([&](const std::string& path, const ParamBase& param) {
    out += ".TP\n.BR " + roff(path) + " \" = \\fI" + roff(param.kind()) + "\\fR\"\n";
    out += roff(param.doc()) + "\nDefault: " + roff(default_text(param)) + ".";
    if (!param.allowed().empty()) out += " Allowed: " + roff(param.allowed()) + ".";
    out += param.apply() == Apply::kHot ? " Applies at once.\n" : " Applies at the next start.\n";
  });
  return out;
}

std::string help_text(const Section& root) {
  std::string out;
  root.visit([&](const std::string& path, const ParamBase& param) {
    std::string head = "  --" + path;
    if (param.kind() != Text<bool>::kKind) head += " <" + std::string(param.kind()) + ">";
    head.resize(std::max<std::size_t>(head.size() + 1, 32), ' ');
    out += head + std::string(param.doc()) + " (default " + default_text(param) + ")\n";
  });
  return out;
}

std::string show_text(const Section& root) {
  std::string out;
  root.visit([&](const std::string& path, const ParamBase& param) {
    out += path + " = \"" + param.show() + "\"\n";
  });
  return out;
}

}  // namespace aisfs::config
