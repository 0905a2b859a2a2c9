// SPDX-License-Identifier: MIT
// Every change of a store, interrupted at each of its system calls: by kill -9, by a loss of power,
// by a call that fails, once or from then on. What was acknowledged is there when the store is
// started again, with its index and without; what was not is there whole or not at all; a store
// that was refused something goes on. On XFS and ext4. Needs root (mount), xfsprogs and e2fsprogs.
//
//   fault_points [--faults kill,power,EIO,ENOSPC,EMFILE] [--every N] [--first N] [--fs xfs|ext4]
//                [--only SCENARIO]
//
// --every 3 tries a third of the calls, from the --first on.
#include <errno.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/base/text.h"
#include "tests/fault/points/trials.h"
#include "tests/fault/store_storm.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests;
using namespace aisfs::tests::points;

struct Arguments {
  std::string faults = "kill,EIO,ENOSPC,EMFILE", only;
  std::vector<std::string> file_systems = {"xfs", "ext4"};
  std::uint64_t every = 1, first = 0;
};

bool parse_arguments(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) return false;
    const std::string value = argv[i + 1];
    const auto n = parse_u64(value);
    if (option == "--faults") {
      arguments.faults = value;
    } else if (option == "--only") {
      arguments.only = value;
    } else if (option == "--fs") {
      arguments.file_systems = {value};
    } else if (option == "--every" && n && *n > 0) {
      arguments.every = *n;
    } else if (option == "--first" && n) {
      arguments.first = *n;
    } else {
      return false;
    }
  }
  return true;
}

struct Kind {
  const char* name;
  std::vector<Fault> faults;
  int error = 0;
};
const Kind kKinds[] = {{"kill", {Fault::kKillBefore, Fault::kKillAfter}},
                       {"power", {Fault::kPowerLoss}},
                       {"EIO", {Fault::kError, Fault::kErrors}, EIO},
                       {"ENOSPC", {Fault::kError, Fault::kErrors}, ENOSPC},
                       {"EMFILE", {Fault::kError, Fault::kErrors}, EMFILE}};

bool mount_new(const std::string& fs, const std::string& dir) {
  const std::string mkfs = fs == "xfs" ? "mkfs.xfs -q -f " : "mkfs.ext4 -q -F ";
  return run_command("mkdir " + dir + "/mnt && truncate -s 512M " + dir + "/image") &&
         run_command(mkfs + dir + "/image && mount -o loop " + dir + "/image " + dir + "/mnt") &&
         run_command("mkdir " + dir + "/mnt/s && sync -f " + dir + "/mnt");
}

/// How many were wrong; -1 when the file system cannot be had.
long try_on(const std::string& fs, const Arguments& arguments) {
  std::string dir = "/tmp/aisfs-fault-points-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr || !mount_new(fs, dir)) return -1;
  std::size_t wrongs = 0;
  for (const Kind& kind : kKinds) {
    bool wanted = false;
    for (const std::string_view name : split(arguments.faults, ',')) wanted |= name == kind.name;
    if (!wanted) continue;
    Trials trials(dir + "/mnt/s", dir + "/image");
    const auto began = std::chrono::steady_clock::now();
    for (const Scenario& scenario : all_scenarios()) {
      if (!arguments.only.empty() && scenario.name != arguments.only) continue;
      for (const Fault fault : kind.faults) {
        (void)trials.run(scenario, fault, kind.error, arguments.every, arguments.first);
      }
    }
    std::printf("%s %s points %zu wrong %zu, %.0f s\n", fs.c_str(), kind.name, trials.points(),
                trials.wrongs(),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    std::fflush(stdout);
    wrongs += trials.wrongs();
  }
  const bool clean = run_command("umount " + dir + "/mnt && rm -rf " + dir);
  return clean ? static_cast<long>(wrongs) : -1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse_arguments(argc, argv, arguments) || ::geteuid() != 0) {
    std::fprintf(stderr,
                 "fault_points: see the head of tests/fault/points/main.cc; it needs root\n");
    return 2;
  }
  if (!keep_mounts_to_itself()) return 2;
  bool good = true;
  for (const std::string& fs : arguments.file_systems) good = try_on(fs, arguments) == 0 && good;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
