// SPDX-License-Identifier: MIT
#include "common/config/file.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace aisfs::config {
namespace {

struct Line {
  enum class Kind : std::uint8_t { kEmpty, kSection, kSetting } kind = Kind::kEmpty;
  std::string key;  // or the section
  std::string value;
};

std::string_view trim_all(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return trim(text);
}

/// A quoted value ends at its quote; an unquoted one at " #".
Result<std::string> parse_value(std::string_view text) {
  if (text.starts_with('"')) {
    const auto end = text.find('"', 1);
    if (end == text.npos) return Error(Errc::invalid_argument, "a quote is not closed");
    const auto rest = trim(text.substr(end + 1));
    if (!rest.empty() && !rest.starts_with('#')) {
      return Error(Errc::invalid_argument, "text after the closing quote");
    }
    return std::string(text.substr(1, end - 1));
  }
  const auto comment = text.find(" #");
  return std::string(trim(text.substr(0, comment)));
}

Result<Line> parse_line(std::string_view text) {
  text = trim_all(text);
  if (text.empty() || text.starts_with('#')) return Line{};
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return Error(Errc::invalid_argument, "expected [section]");
    return Line{Line::Kind::kSection, std::string(trim(text.substr(1, end - 1))), {}};
  }
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) {
    return Error(Errc::invalid_argument, "expected key = value or [section]");
  }
  TRY(auto value, parse_value(trim(text.substr(equals + 1))));
  return Line{Line::Kind::kSetting, std::string(trim(text.substr(0, equals))), std::move(value)};
}

Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open " + path);
  std::string text;
  char buffer[16384];
  while (true) {
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0) return errno_error("read " + path);
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kFileBytesMax) return Error(Errc::too_large, path + ": over 1 MiB");
  }
}

std::string environment_name(std::string_view prefix, std::string_view path) {
  std::string name(prefix);
  for (const char c : path) {
    name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

bool is_flag_of(const Section& root, std::string_view path) {
  const auto* param = root.find(path);
  return param != nullptr && param->kind() == Text<bool>::kKind;
}

}  // namespace

Status apply_text(Section& root, std::string_view text, std::string_view source) {
  std::string section;
  std::set<std::string, std::less<>> seen;
  int number = 0;
  for (const auto raw : split(text, '\n')) {
    const std::string where = std::string(source) + ":" + std::to_string(++number);
    auto line = parse_line(raw);
    if (!line) return std::move(line).error().context(where);
    if (line->kind == Line::Kind::kSection) section = line->key.empty() ? "" : line->key + ".";
    if (line->kind != Line::Kind::kSetting) continue;
    const std::string path = section + line->key;
    if (!seen.insert(path).second) {
      return Error(Errc::invalid_argument, where + ": " + path + " is set twice");
    }
    auto status = root.set(path, line->value);
    if (!status) return std::move(status).error().context(where);
  }
  return {};
}

Status apply_file(Section& root, const std::string& path) {
  TRY(const auto text, read_file(path));
  return apply_text(root, text, path);
}

Status apply_environment(Section& root,
                         std::string_view prefix,
                         const std::vector<std::string>& environment) {
  std::map<std::string, std::string> paths;
  root.visit([&](const std::string& path, const ParamBase&) {
    paths[environment_name(prefix, path)] = path;
  });
  for (const auto& entry : environment) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    if (!name.starts_with(prefix) || equals == entry.npos) continue;
    const auto it = paths.find(name);
    if (it == paths.end()) {
      return Error(Errc::not_found, "environment variable " + name + " names no setting");
    }
    auto status = root.set(it->second, entry.substr(equals + 1));
    if (!status) return std::move(status).error().context("environment variable " + name);
  }
  return {};
}

Result<std::vector<std::string>> apply_arguments(Section& root,
                                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("--") || argument == "--") {
      rest.push_back(argument);
      continue;
    }
    const auto equals = argument.find('=');
    std::string path = argument.substr(2, equals == argument.npos ? equals : equals - 2);
    std::replace(path.begin(), path.end(), '-', '_');
    std::string value;
    if (equals != argument.npos) {
      value = argument.substr(equals + 1);
    } else if (is_flag_of(root, path)) {
      value = "true";
    } else if (root.find(path) != nullptr && i + 1 < arguments.size()) {
      value = arguments[++i];
    } else if (root.find(path) != nullptr) {
      return Error(Errc::invalid_argument, argument + " needs a value");
    }
    auto status = root.set(path, value);
    if (!status) return std::move(status).error().context("option " + argument);
  }
  return rest;
}

}  // namespace aisfs::config
