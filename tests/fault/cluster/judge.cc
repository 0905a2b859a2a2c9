// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/judge.h"

#include <string_view>

#include "tests/kit/history/linearizable.h"
#include "tests/kit/history/listing.h"
#include "tests/kit/history/repeats.h"
#include "tests/kit/history/versions.h"

namespace aisfs::tests::storm {
namespace {

std::string_view word_of(history::Verdict verdict) {
  switch (verdict) {
    case history::Verdict::kHolds:
      return "holds";
    case history::Verdict::kViolated:
      return "VIOLATED";
    case history::Verdict::kUnknown:
      return "unknown";
  }
  return "";
}

}  // namespace

Judgement judge(const history::Operations& operations,
                const std::set<std::size_t>& repeatable,
                bool strict) {
  Judgement result;
  history::Report order = history::check_linearizable(operations);
  const history::Report whole = order;
  result.repeated = history::take_out_repeats(operations, repeatable, order);
  // A 404 of ours shows no version.
  for (const history::Report& report :
       {strict ? whole : order, history::check_versions(operations, {.tombstones = false}),
        history::check_listing(operations)}) {
    result.verdicts += (result.verdicts.empty() ? "" : ", ") + report.check + " " +
                       std::string(word_of(report.verdict()));
    if (report.verdict() == history::Verdict::kViolated) result.wrong.push_back(report.to_string());
  }
  if (!result.repeated.empty()) {
    result.verdicts += ", repeated " + std::to_string(result.repeated.size());
  }
  return result;
}

}  // namespace aisfs::tests::storm
