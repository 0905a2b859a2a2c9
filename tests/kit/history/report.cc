// SPDX-License-Identifier: MIT
#include "tests/kit/history/report.h"

namespace aisfs::tests::history {

Verdict Report::verdict() const {
  if (!violations.empty()) return Verdict::kViolated;
  return undecided.empty() ? Verdict::kHolds : Verdict::kUnknown;
}

std::string Report::to_string() const {
  std::string text = check + ": " + std::to_string(checked) + " checked, " +
                     std::to_string(violations.size()) + " violated, " +
                     std::to_string(undecided.size()) + " undecided\n";
  for (const Violation& violation : violations) {
    text += violation.where + ": " + violation.what + '\n' + violation.excerpt;
  }
  for (const std::string& key : undecided) text += key + ": undecided, too many orders to try\n";
  return text;
}

}  // namespace aisfs::tests::history
