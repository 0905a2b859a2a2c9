// SPDX-License-Identifier: MIT
// Bits, sectors, ends of files and whole files that change on the disks of nodes that are down: in
// objects with three copies and in 2+2 slices, in up to two copies of each, in metadata, logs,
// indexes, tables and the cluster map. Then every object must be read as it was written, with its
// metadata, or a node must refuse to start; and scrubs must make every copy good again.
//
//   bit_flips [--flips N] [--seed X] [--objects N] [--round N] [--lose-index 1] [--keep DIR]
//
// In rounds of --round flips (40) over --objects objects (100). --lose-index 1: a target whose log
// is damaged has no index any more, now and then; what a log lacks then is not noticed yet, when
// its newest segment was hit. What fails is kept below DIR (/tmp).
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "common/base/text.h"
#include "tests/fault/bit_flips/trial.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests::flips;

constexpr std::size_t kShownMax = 40;  // lines of what is wrong

struct Arguments {
  std::uint64_t flips = 100, seed = 1, objects = 100, round = 40, lose_index = 0;
  std::string keep = "/tmp";
};

bool parse_arguments(int argc, char** argv, Arguments& arguments) {
  const std::map<std::string, std::uint64_t*, std::less<>> numbers = {
      {"--flips", &arguments.flips},
      {"--seed", &arguments.seed},
      {"--objects", &arguments.objects},
      {"--lose-index", &arguments.lose_index},
      {"--round", &arguments.round}};
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) return false;
    const auto number = numbers.find(option);
    const auto n = parse_u64(argv[i + 1]);
    if (option == "--keep") {
      arguments.keep = argv[i + 1];
    } else if (number != numbers.end() && n) {
      *number->second = *n;
    } else {
      return false;
    }
  }
  return true;
}

void print(const Counts& counts, std::size_t reads, bool good) {
  std::printf("flips %zu rounds %zu:", counts.all(), counts.rounds);
  for (std::size_t place = 0; place < kPlaces; ++place) {
    std::printf(" %s", std::string(to_string(static_cast<Place>(place))).c_str());
    for (std::size_t way = 0; way < kWays; ++way) {
      std::printf("%c%zu", way == 0 ? ' ' : '/', counts.flips[place][way]);
    }
  }
  std::printf(
      " (bit/sector/cut/swap); reads %zu, healed by scrubs %zu, starts refused %zu, "
      "latent %zu: %s\n",
      reads, counts.healed, counts.refused, counts.latent, good ? "good" : "WRONG");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse_arguments(argc, argv, arguments)) {
    std::fprintf(stderr, "bit_flips: see the head of tests/fault/bit_flips/main.cc\n");
    return 2;
  }
  std::string dir = arguments.keep + "/aisfs-bit-flips-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) {
    std::perror(dir.c_str());
    return 2;
  }
  std::vector<std::string> wrong;
  {
    Trial trial(dir, {.objects = arguments.objects,
                      .seed = arguments.seed,
                      .lose_index = arguments.lose_index != 0});
    if (const Status begun = trial.begin(); !begun) wrong.push_back(begun.error().what());
    while (wrong.empty() && trial.counts().all() < arguments.flips) {
      const std::size_t left = arguments.flips - trial.counts().all();
      wrong = trial.round(std::min<std::size_t>(arguments.round, left));
      if (trial.counts().rounds % 10 == 0) print(trial.counts(), trial.reads(), wrong.empty());
    }
    print(trial.counts(), trial.reads(), wrong.empty());
  }
  if (wrong.empty()) {
    std::filesystem::remove_all(dir);
    return EXIT_SUCCESS;
  }
  for (std::size_t i = 0; i < std::min(kShownMax, wrong.size()); ++i) {
    std::printf("  %s\n", wrong[i].c_str());
  }
  std::printf(
      "  again: bit_flips --flips %lu --seed %lu --objects %lu --round %lu "
      "--lose-index %lu; kept: %s\n",
      arguments.flips, arguments.seed, arguments.objects, arguments.round, arguments.lose_index,
      dir.c_str());
  return EXIT_FAILURE;
}
