// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace aisfs::tests::history {

enum class Verdict : std::uint8_t { kHolds, kViolated, kUnknown };

/// One promise that a history breaks.
struct Violation {
  std::string where;    // the key, or the listing and the key
  std::string what;     // the rule that is broken, a sentence
  std::string excerpt;  // the operations that show it, a line each
};

/// What a check found in a history.
struct Report {
  std::string check;        // its name
  std::size_t checked = 0;  // keys, or listings
  std::vector<Violation> violations;
  std::vector<std::string> undecided;  // keys that exceeded the bound on work

  /// kUnknown only if nothing else is wrong.
  Verdict verdict() const;
  bool holds() const { return verdict() == Verdict::kHolds; }
  /// For people: a line when it holds, else each violation with its excerpt.
  std::string to_string() const;
};

}  // namespace aisfs::tests::history
