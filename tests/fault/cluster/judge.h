// SPDX-License-Identifier: MIT
#pragma once
#include <set>
#include <string>
#include <vector>

#include "tests/kit/history/operation.h"

namespace aisfs::tests::storm {

struct Judgement {
  std::string verdicts;               // of the checkers, a word each
  std::vector<std::string> repeated;  // keys where a request must have taken effect twice
  std::vector<std::string> wrong;     // what is broken; empty if nothing is
};

/// Whether a correct store can have shown this history. `repeatable`: requests that whoever passes
/// them on may have done twice; `strict`: that they took effect twice is wrong too.
Judgement judge(const history::Operations& operations,
                const std::set<std::size_t>& repeatable,
                bool strict);

}  // namespace aisfs::tests::storm
