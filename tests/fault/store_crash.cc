// SPDX-License-Identifier: MIT
// kill -9 of a writer at random times: nothing acknowledged is lost, nothing deleted comes back,
// no partial object is seen.
//
//   store_crash [--kills N]
//
// Then the same while names move to another mountpath and back.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/fault/store_storm.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests;

StormOptions options_in(const std::string& dir, bool moving) {
  StormOptions options{.mountpaths = {dir + "/m1", dir + "/m2"}, .ledger = dir + "/ledger"};
  options.levels = {Durability::kNone, Durability::kNone, Durability::kData, Durability::kFull};
  if (moving) options.spare = dir + "/m3";
  return options;
}

void kill_after(const std::string& program, const std::string& dir, bool moving, int milliseconds) {
  const int pid = start_child({program, moving ? "--mover" : "--writer", dir});
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status)) std::fprintf(stderr, "the writer ended by itself: %d\n", WEXITSTATUS(status));
}

int crash(const std::string& program, int kills, bool moving) {
  char name[] = "/tmp/aisfs-store-crash-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  const StormOptions options = options_in(dir, moving);
  if (!run_command("mkdir " + dir + "/m1 " + dir + "/m2 " + dir + "/m3")) return 2;
  StormLedger* ledger = map_ledger(options.ledger);
  std::mt19937 random(std::random_device{}());
  StormVerdict sum;
  double slowest = 0;
  std::uint64_t rebuilt = 0;
  for (int i = 0; i < kills; ++i) {
    kill_after(program, dir, moving, 150 + static_cast<int>(random() % 1000));
    const StormVerdict verdict = check_storm(options);
    sum.lost += verdict.lost;
    sum.resurrected += verdict.resurrected;
    sum.torn += verdict.torn;
    sum.listing += verdict.listing;
    sum.objects = verdict.objects;
    sum.versions += verdict.versions;
    rebuilt += verdict.rebuilt;
    slowest = std::max(slowest, verdict.open_seconds);
  }
  const std::uint64_t operations = ledger->operations, wrong = ledger->wrong_reads;
  std::printf(
      "kills %d operations %lu objects %lu versions %lu lost %lu resurrected %lu torn %lu listing "
      "%lu "
      "wrong_reads %lu rebuilt %lu slowest_recovery %.3f s\n",
      kills, operations, sum.objects, sum.versions, sum.lost, sum.resurrected, sum.torn,
      sum.listing, wrong, rebuilt, slowest);
  const bool good = sum.ok() && wrong == 0 && rebuilt == 0 && operations > 0;
  if (good) return run_command("rm -rf " + dir) ? 0 : 2;
  std::printf("kept for a look: %s\n", dir.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string word = argc == 3 ? argv[1] : "";
  const bool moving = word == "--mover";
  if (moving || word == "--writer") return run_storm(options_in(argv[2], moving));
  int kills = 20;
  if (word == "--kills") kills = std::atoi(argv[2]);
  const int still = crash("/proc/self/exe", kills, false);
  const int moved = crash("/proc/self/exe", kills, true);
  return still != 0 ? still : moved;
}
