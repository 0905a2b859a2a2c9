// SPDX-License-Identifier: MIT
// Scale-out by hand, under load, on one machine: a cluster grows, loses and gets disks, gateways,
// members of etcd and targets by fixed steps, while clients, a mount, aws and rclone go on. A row a
// step; exit status 1 if a bar is missed.
//
//   scale_out [--targets 3|5] [--objects N] [--seconds S] [--patience S] [--seed X] [--json]
//             [--without mount|aws|rclone|renames[,...]] [--keep DIR]
//
// With 3 targets: 3 -> 6 -> 2 -> 3 -> 2, and buckets of one copy and of two. With 5: 5 -> 6 -> 4 ->
// 5 -> 4, and a bucket in slices, 2+2, beside them. --objects: of each bucket. --seconds: the least
// that a step is under load. --patience: the most that an operation may wait.
//
// Without renames the mount's loop renames no directories. The bars: no operation of the stock's
// clients, the mount, aws and rclone fails after its own retries, or waits for longer than
// --patience; no history of the storm's clients is impossible; nothing is lost, and nothing that
// was deleted is back; after each step every file is where placement says, and the files that moved
// are those that had to, within 5 %. What fails is kept below DIR (/tmp).
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "common/base/text.h"
#include "tests/fault/scale_out/scenario.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests::scale;

struct Options {
  std::uint64_t targets = 3, objects = 2000, seconds = 10, patience = 15, seed = 1;
  std::set<std::string> without;
  std::string keep = "/tmp";
  bool json = false;
};

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::uint64_t*, std::less<>> numbers = {
      {"--targets", &options.targets},
      {"--objects", &options.objects},
      {"--seconds", &options.seconds},
      {"--patience", &options.patience},
      {"--seed", &options.seed}};
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json") {
      options.json = true;
      continue;
    }
    if (++i == argc) return Error(Errc::invalid_argument, option + " needs a value");
    const std::string_view value = argv[i];
    const auto number = numbers.find(option);
    if (option == "--keep") {
      options.keep = value;
    } else if (option == "--without") {
      for (const std::string_view name : split(value, ',')) options.without.emplace(name);
    } else if (const auto n = parse_u64(value); n && number != numbers.end()) {
      *number->second = *n;
    } else {
      return Error(Errc::invalid_argument,
                   option + " " + std::string(value) + " is not understood");
    }
  }
  if (options.targets != 3 && options.targets != 5) {
    return Error(Errc::invalid_argument, "--targets is 3 or 5");
  }
  return options;
}

int run(const Options& options) {
  std::string dir = options.keep + "/aisfs-scale-out-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) {
    std::perror(dir.c_str());
    return EXIT_FAILURE;
  }
  Report report;
  {
    Scenario scenario({.targets = options.targets,
                       .objects = options.objects,
                       .step_least = std::chrono::seconds(options.seconds),
                       .patience = std::chrono::seconds(options.patience),
                       .seed = options.seed,
                       .without = options.without,
                       .dir = dir,
                       .quiet = options.json});
    report = scenario.run();
  }
  if (options.json) {
    std::printf("%s\n", to_json(report).c_str());
  } else {
    print_end(report);
  }
  if (report.wrong.empty()) {
    std::filesystem::remove_all(dir);
  } else if (!options.json) {
    std::printf("kept: %s\n", dir.c_str());
  }
  return report.wrong.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "scale_out: %s\n", options.error().what().c_str());
    return 2;
  }
  return run(*options);
}
