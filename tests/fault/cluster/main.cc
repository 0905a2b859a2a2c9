// SPDX-License-Identifier: MIT
// Storms over clusters of real nodes: clients on 64 keys while nodes die, hang, come and go; then
// what they saw is checked. A line a run; what is wrong below it.
//
//   cluster_storm [--runs N | --deeds N] [--seconds S] [--seed X] [--nemesis A[,B]...] [--clients
//   N]
//                 [--copies N] [--slices D+P] [--strict 0] [--keep DIR]
//
// With --deeds as many runs as it takes the nemeses to do so many things, kills for instance.
// Run i has seed X + i. Without --nemesis the seed draws one or two. What fails is kept below DIR
// (or /tmp): the history for check_history, and the folders of the nodes with their logs.
//
// A PUT or DELETE without conditions that was sent again, and took effect twice while it was under
// way, is counted as "repeated", and is wrong but with --strict 0.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "common/base/text.h"
#include "tests/fault/cluster/nemesis.h"
#include "tests/fault/cluster/run.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests::storm;

constexpr std::uint64_t kIdleMax = 10;  // runs more than deeds
constexpr std::size_t kShownMax = 12;   // of what is wrong with a run

struct Arguments {
  std::uint64_t runs = 3, deeds = 0, seconds = 10, seed = 1, clients = 16, copies = 1, strict = 1;
  std::vector<std::string> nemeses;
  ErasureProps erasure{.least_bytes = 1};
  std::string keep = "/tmp";
};

Result<std::vector<std::string>> parse_nemeses(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view name : split(text, ',')) {
    if (!is_trouble(name)) return Error(Errc::invalid_argument, "no nemesis " + std::string(name));
    names.emplace_back(name);
  }
  return names;
}

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments arguments;
  const std::map<std::string, std::uint64_t*, std::less<>> numbers = {
      {"--runs", &arguments.runs},     {"--seconds", &arguments.seconds},
      {"--seed", &arguments.seed},     {"--clients", &arguments.clients},
      {"--copies", &arguments.copies}, {"--strict", &arguments.strict},
      {"--deeds", &arguments.deeds}};
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) return Error(Errc::invalid_argument, option + " needs a value");
    const std::string_view value = argv[i + 1];
    const auto number = numbers.find(option);
    if (option == "--keep") {
      arguments.keep = value;
    } else if (option == "--slices") {
      CHECK_OK(parse_geometry(value, arguments.erasure));
    } else if (option == "--nemesis") {
      TRY(arguments.nemeses, parse_nemeses(value));
    } else if (const auto n = parse_u64(value); n && number != numbers.end()) {
      *number->second = *n;
    } else {
      return Error(Errc::invalid_argument,
                   option + " " + std::string(value) + " is not understood");
    }
  }
  if (arguments.clients == 0 || arguments.seconds == 0) {
    return Error(Errc::invalid_argument, "a storm has clients and lasts");
  }
  return arguments;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

double seconds_of(Duration time) { return std::chrono::duration<double>(time).count(); }

void print(const RunOptions& options, const RunResult& result, double took) {
  std::printf(
      "seed %lu %s: %zu gateways%s, %zu targets; %s%s%zu operations, %.1f %% answered, longest "
      "%.1f "
      "s; %s; %s, %.0f s\n",
      options.seed, joined(options.nemeses).c_str(), result.shape.gateways,
      result.shape.etcd ? " on etcd" : "", result.shape.targets, result.done.c_str(),
      result.done.empty() ? "" : "; ", result.totals.operations, 100 * result.answered_share(),
      seconds_of(result.totals.longest), result.verdicts.c_str(),
      result.wrong.empty() ? "good" : "WRONG", took);
  if (result.wrong.empty()) return;
  for (std::size_t i = 0; i < std::min(kShownMax, result.wrong.size()); ++i) {
    std::printf("  %s\n", result.wrong[i].c_str());
  }
  if (result.wrong.size() > kShownMax)
    std::printf("  and %zu more\n", result.wrong.size() - kShownMax);
  std::printf(
      "  history: %s\n  again: cluster_storm --runs 1 --seconds %.0f --seed %lu --nemesis %s "
      "--clients %zu --copies %u --slices %s\n",
      result.history_file.c_str(), seconds_of(options.time), options.seed,
      joined(options.nemeses).c_str(), options.clients, options.copies,
      to_string(options.erasure).c_str());
}

/// What all runs come to.
struct Sum {
  std::uint64_t runs = 0, wrong = 0, deeds = 0, operations = 0;
};

/// When nothing is wrong nothing is kept.
void run_once(const Arguments& arguments, std::uint64_t seed, Sum& sum) {
  ++sum.runs, ++sum.wrong;
  std::string dir = arguments.keep + "/aisfs-cluster-storm-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) {
    return std::perror(dir.c_str());
  }
  const RunOptions options{
      .seed = seed,
      .time = std::chrono::seconds(arguments.seconds),
      .clients = arguments.clients,
      .nemeses = arguments.nemeses.empty() ? draw_nemeses(seed) : arguments.nemeses,
      .dir = dir,
      .copies = static_cast<std::uint32_t>(arguments.copies),
      .erasure = arguments.erasure,
      .strict = arguments.strict != 0};
  const auto began = std::chrono::steady_clock::now();
  const RunResult result = run_storm(options);
  print(options, result, seconds_of(std::chrono::steady_clock::now() - began));
  std::fflush(stdout);
  sum.deeds += result.deeds;
  sum.operations += result.totals.operations;
  if (!result.wrong.empty()) return;
  --sum.wrong;
  std::filesystem::remove_all(dir);
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse_arguments(argc, argv);
  if (!arguments) {
    std::fprintf(stderr, "cluster_storm: %s\n", arguments.error().what().c_str());
    return 2;
  }
  Sum sum;
  const bool by_deeds = arguments->deeds > 0;
  // A nemesis that does nothing would go on for ever.
  while (by_deeds ? sum.deeds < arguments->deeds && sum.runs <= sum.deeds + kIdleMax
                  : sum.runs < arguments->runs) {
    run_once(*arguments, arguments->seed + sum.runs, sum);
  }
  const bool enough = sum.deeds >= arguments->deeds;
  std::printf("%lu runs, %lu wrong, %lu deeds%s, %lu operations\n", sum.runs, sum.wrong, sum.deeds,
              enough ? "" : " only", sum.operations);
  return sum.wrong == 0 && enough ? EXIT_SUCCESS : EXIT_FAILURE;
}
