// SPDX-License-Identifier: MIT
// Power loss: a loop-mounted file system is shut down without a flush of its log under a storm of
// writes at level full, mounted again and checked. Needs root (mount) and xfsprogs, e2fsprogs.
//
//   power_loss [--crashes N] [--fs xfs|ext4]
//
// Half of the crashes come while names move to another mountpath and back.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
  StormOptions options{.mountpaths = {dir + "/mnt/m1"}, .ledger = dir + "/ledger"};
  options.levels = {Durability::kFull};
  if (moving) options.spare = dir + "/mnt/m2";
  return options;
}

/// What `xfs_io -x -c shutdown` does; XFS and ext4 share the number. 2: without a log flush.
bool cut_power(const std::string& mountpoint) {
  const int fd = ::open(mountpoint.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::uint32_t flags = 2;
  const bool done = fd >= 0 && ::ioctl(fd, _IOR('X', 125, std::uint32_t), &flags) == 0;
  if (!done) std::perror("shutdown of the file system");
  if (fd >= 0) ::close(fd);
  return done;
}

bool crash_once(const std::string& dir, StormLedger& ledger, bool moving, int milliseconds) {
  const int pid = start_child({"/proc/self/exe", moving ? "--mover" : "--writer", dir});
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  ledger.dying = true;  // before the shutdown: a sync that races with it may report success
  const bool cut = cut_power(dir + "/mnt");
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ledger.dying = false;
  return cut && run_command("umount " + dir + "/mnt") &&
         run_command("mount -o loop " + dir + "/image " + dir + "/mnt");
}

bool make_file_system(const std::string& dir, const std::string& fs) {
  const std::string mkfs = fs == "xfs" ? "mkfs.xfs -q -f " : "mkfs.ext4 -q -F ";
  return run_command("mkdir " + dir + "/mnt && truncate -s 1G " + dir + "/image") &&
         run_command(mkfs + dir + "/image") &&
         run_command("mount -o loop " + dir + "/image " + dir + "/mnt") &&
         run_command("mkdir " + dir + "/mnt/m1 " + dir + "/mnt/m2 && sync -f " + dir + "/mnt");
}

int lose_power(const std::string& fs, int crashes) {
  char name[] = "/tmp/aisfs-store-power-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  if (!make_file_system(dir, fs)) return 2;
  const StormOptions options = options_in(dir, false);
  StormLedger* ledger = map_ledger(options.ledger);
  std::mt19937 random(std::random_device{}());
  StormVerdict sum;
  int done = 0;
  std::uint64_t rebuilt = 0;
  for (; done < crashes; ++done) {
    const bool moving = done % 2 == 1;
    if (!crash_once(dir, *ledger, moving, 300 + static_cast<int>(random() % 900))) break;
    const StormVerdict verdict = check_storm(options);
    sum.names += verdict.names;
    sum.lost += verdict.lost;
    sum.resurrected += verdict.resurrected;
    sum.torn += verdict.torn;
    sum.listing += verdict.listing;
    rebuilt += verdict.rebuilt;
  }
  const std::uint64_t operations = ledger->operations, wrong = ledger->wrong_reads;
  std::printf("%s crashes %d operations %lu names %lu lost %lu torn %lu resurrected %lu listing %lu "
              "wrong_reads %lu rebuilt %lu\n",
              fs.c_str(), done, operations, sum.names, sum.lost, sum.torn, sum.resurrected,
              sum.listing, wrong, rebuilt);
  const bool clean = run_command("umount " + dir + "/mnt");
  const bool good = done == crashes && sum.ok() && wrong == 0 && operations > 0;
  if (good && clean) return run_command("rm -rf " + dir) ? 0 : 2;
  std::printf("kept for a look: %s\n", dir.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  int crashes = 3;
  std::string fs;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    const bool moving = option == "--mover";
    if (moving || option == "--writer") return run_storm(options_in(argv[i + 1], moving));
    if (option == "--crashes") crashes = std::atoi(argv[i + 1]);
    if (option == "--fs") fs = argv[i + 1];
  }
  if (::geteuid() != 0) {
    std::fprintf(stderr, "power_loss mounts file systems: run it as root\n");
    return 2;
  }
  if (!keep_mounts_to_itself()) return 2;
  if (!fs.empty()) return lose_power(fs, crashes);
  const int xfs = lose_power("xfs", crashes);
  const int ext4 = lose_power("ext4", crashes);
  return xfs != 0 ? xfs : ext4;
}
