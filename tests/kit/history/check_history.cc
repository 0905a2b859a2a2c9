// SPDX-License-Identifier: MIT
// Checks histories of concurrent clients that were recorded earlier, ours or logs of Jepsen's test
// of etcd, and prints a line a file, and what is wrong.
//
//   check_history [--tried N] [--no-tombstones] [--expect FILE] FILE...
//
// --no-tombstones is for stores whose 404s show no version. --expect names a file with lines
// "NAME holds" or "NAME violated": then the exit status says whether each file NAME has that
// verdict. Exit: 0 all hold (or are as expected), 1 not, 2 a file cannot be read.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "tests/kit/history/history_file.h"
#include "tests/kit/history/jepsen_log.h"
#include "tests/kit/history/linearizable.h"
#include "tests/kit/history/listing.h"
#include "tests/kit/history/versions.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests::history;

struct Arguments {
  LinearizableOptions options;
  VersionsOptions versions;
  std::string expect;
  std::vector<std::string> files;
};

struct Totals {
  std::size_t operations = 0, holds = 0, violated = 0, unknown = 0, unexpected = 0;
};

using Expected = std::map<std::string, std::string, std::less<>>;

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds:
      return "holds";
    case Verdict::kViolated:
      return "violated";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "";
}

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--expect" && has_value) {
      arguments.expect = argv[++i];
    } else if (word == "--no-tombstones") {
      arguments.versions.tombstones = false;
    } else if (word == "--tried" && has_value) {
      const auto tried = parse_u64(argv[++i]);
      if (!tried) return Error(Errc::invalid_argument, "--tried takes a number");
      arguments.options.tried_max = *tried;
    } else if (word.starts_with("--")) {
      return Error(Errc::invalid_argument, "no such option: " + std::string(word));
    } else {
      arguments.files.emplace_back(word);
    }
  }
  if (arguments.files.empty()) return Error(Errc::invalid_argument, "no files");
  return arguments;
}

Result<Expected> load_expected(const std::string& path) {
  Expected expected;
  if (path.empty()) return expected;
  TRY(const std::string text, read_text(path));
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 2) expected.emplace(words[0], words[1]);
  }
  return expected;
}

Result<Operations> load_any(const std::string& path) {
  TRY(const std::string text, read_text(path));
  return is_jepsen_log(text) ? parse_jepsen_log(text) : parse_text(text);
}

/// The worst of the verdicts; prints the reports that are not good.
Verdict check(const Operations& operations, const Arguments& arguments) {
  const Report reports[] = {check_linearizable(operations, arguments.options),
                            check_versions(operations, arguments.versions),
                            check_listing(operations)};
  Verdict worst = Verdict::kHolds;
  for (const Report& report : reports) {
    if (report.holds()) continue;
    std::printf("%s", report.to_string().c_str());
    if (worst != Verdict::kViolated) worst = report.verdict();
  }
  return worst;
}

void check_file(const std::string& path,
                const Operations& operations,
                const Arguments& arguments,
                const Expected& expected,
                Totals& totals) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const std::string verdict(name_of(check(operations, arguments)));
  const std::chrono::duration<double, std::milli> took = Clock::now() - began;
  std::printf("%s: %s, %zu operations, %.1f ms\n", path.c_str(), verdict.c_str(), operations.size(),
              took.count());
  totals.operations += operations.size();
  ++(verdict == "holds" ? totals.holds : verdict == "violated" ? totals.violated : totals.unknown);
  const auto wanted = expected.find(path.substr(path.rfind('/') + 1));
  const bool as_wanted = wanted == expected.end() ? verdict == "holds" : verdict == wanted->second;
  if (!as_wanted) {
    ++totals.unexpected;
    std::printf("%s: not as expected\n", path.c_str());
  }
}

int fail(const Error& error) {
  std::fprintf(stderr, "check_history: %s\n", error.what().c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse_arguments(argc, argv);
  if (!arguments) return fail(arguments.error());
  const auto expected = load_expected(arguments->expect);
  if (!expected) return fail(expected.error());
  Totals totals;
  for (const std::string& path : arguments->files) {
    const auto operations = load_any(path);
    if (!operations) return fail(operations.error());
    check_file(path, *operations, *arguments, *expected, totals);
  }
  std::printf(
      "%zu files, %zu operations: %zu hold, %zu violated, %zu unknown; %zu not as expected\n",
      arguments->files.size(), totals.operations, totals.holds, totals.violated, totals.unknown,
      totals.unexpected);
  return totals.unexpected == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
