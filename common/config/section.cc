// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>

#include "common/config/param.h"

namespace aisfs::config {
namespace {

/// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_name(const Section& section, std::string_view path) {
  std::string best;
  std::size_t best_distance = 4;  // further away is another word, not a slip
  section.visit([&](const std::string& name, const ParamBase&) {
    const std::size_t d = distance(name, path);
    if (d < best_distance) {
      best_distance = d;
      best = name;
    }
  });
  return best;
}

}  // namespace

const ParamBase* Section::find(std::string_view path) const {
  const ParamBase* found = nullptr;
  visit([&](const std::string& name, const ParamBase& param) {
    if (name == path) found = &param;
  });
  return found;
}

Status Section::set(std::string_view path, std::string_view text) {
  const ParamBase* param = find(path);
  if (param == nullptr) {
    std::string what = "no such setting: " + std::string(path);
    if (const auto near = nearest_name(*this, path); !near.empty()) {
      what += "; did you mean " + near + "?";
    }
    return Error(Errc::not_found, std::move(what));
  }
  auto status = const_cast<ParamBase*>(param)->parse(text);  // registered by a non-const member
  if (!status) return std::move(status).error().context(path);
  return {};
}

}  // namespace aisfs::config
