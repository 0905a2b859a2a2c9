// SPDX-License-Identifier: MIT
#include "tests/sim/simulation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdio>
#include <string_view>

#include "common/obs/log.h"
#include "tests/sim/os/real.h"

namespace aisfs::tests::sim {
namespace {

constexpr std::size_t kLogBytesMax = 8000;  // of a process

bool g_verbose = false;
std::map<std::string, int> g_boots;           // of machines
std::map<std::string, ino_t> g_volume_roots;  // by path
const std::string kBootIds = "/tmp/aisfs-sim/boot.";

ino_t root_of(const std::string& path) {
  struct stat st{};
  raw_syscall(SYS_stat, reinterpret_cast<long>(path.c_str()), reinterpret_cast<long>(&st));
  return st.st_ino;
}

}  // namespace

std::string machine_name(const std::string& dir) { return dir.substr(dir.rfind('/') + 1); }

void begin_simulation(std::uint64_t seed, bool verbose) {
  g_verbose = verbose;
  Scheduler& scheduler = Scheduler::begin(seed);
  auto* network = new Network(scheduler);  // as the scheduler, for ever
  auto* disk = new Disk(scheduler);
  scheduler.on_death = [network, disk](Process& process) {
    network->process_died(process);
    disk->process_died(process);
  };
}

void open_volume(const std::string& path) {
  Volume& volume = Disk::current()->add_volume(path, Scheduler::current()->random());
  ino_t& known = g_volume_roots[path];
  const ino_t now = root_of(path);
  if (known != 0 && known != now) volume.adopt();
  known = now;
}

void cut_power(const std::string& dir, Process* process) {
  const std::string machine = machine_name(dir);
  Network::current()->power_off(machine);
  if (process != nullptr && !process->dead) Scheduler::current()->kill(*process);
  for (Volume* volume : Disk::current()->volumes_below(dir)) {
    volume->lose_power(*Scheduler::current());
  }
  ++g_boots[machine];
}

std::string boot_id_file(const std::string& machine) {
  const std::string path = kBootIds + machine;
  char id[64];
  const int boot = g_boots[machine];
  const int size = std::snprintf(id, sizeof id, "00000000-0000-0000-0000-%012d\n", boot);
  const long fd = raw_syscall(SYS_open, reinterpret_cast<long>(path.c_str()),
                              O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  raw_syscall(SYS_write, fd, reinterpret_cast<long>(id), size);
  raw_syscall(SYS_close, fd);
  return path;
}

}  // namespace aisfs::tests::sim

/// log::write, which the linker leads here (--wrap): lines have the simulated time and belong to a
/// process.
extern "C" void wrapped_log_write(aisfs::log::Level level, std::string_view line) __asm__(
    "__wrap__ZN5aisfs3log5writeENS0_5LevelESt17basic_string_viewIcSt11char_traitsIcEE");
extern "C" void wrapped_log_write(aisfs::log::Level level, std::string_view line) {
  using namespace aisfs::tests::sim;
  const Thread* const self = Scheduler::self();
  if (self == nullptr) return;
  char head[96];
  std::snprintf(head, sizeof head, "%12.6f %-6s %d ",
                static_cast<double>(Scheduler::current()->now()) / 1e9 - 1000,
                self->process->machine.c_str(), static_cast<int>(level));
  const std::string text = head + std::string(line) + "\n";
  std::string& log = self->process->log;
  log += text;
  if (log.size() > 2 * kLogBytesMax) log.erase(0, log.size() - kLogBytesMax);
  if (g_verbose) std::fputs(text.c_str(), stderr);
}
