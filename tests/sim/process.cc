// SPDX-License-Identifier: MIT
// NodeProcess in the simulation: a node is the threads that run_node makes, in a process of its
// own.
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/text.h"
#include "common/config/file.h"
#include "common/obs/log.h"
#include "node/config.h"
#include "node/daemon.h"
#include "tests/kit/node_process.h"
#include "tests/sim/os/disk.h"
#include "tests/sim/os/network.h"
#include "tests/sim/simulation.h"

namespace aisfs::tests {
namespace {

using namespace aisfs::tests::sim;

constexpr auto kStartMax = std::chrono::seconds(60);
constexpr auto kLook = std::chrono::milliseconds(10);

/// The C string and what comes after it belong to the thread that serves the node for good.
int run(const std::vector<std::string>& args) {
  node::NodeConfig config;
  const auto rest = config::apply_arguments(config, args);
  if (!rest || !rest->empty()) {
    std::fprintf(stderr, "sim: wrong arguments of a node\n");
    return 2;
  }
  const Status served = node::run_node(config);
  if (!served) LOG_ERROR("the node ends", "why", served.error().what());
  return served ? 0 : 1;
}

/// LMDB's lock files hold mutexes, and one may belong to a thread that never runs again.
void remove_lock_files(const std::string& dir) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (entry.path().filename() == "lock.mdb") found.push_back(entry.path());
  }
  for (const auto& path : found) std::filesystem::remove(path);
}

}  // namespace

std::vector<std::string> NodeProcess::arguments() const {
  const std::string& dir = options_.dir;
  std::vector<std::string> args = {"--role",          options_.role,
                                   "--data_dir",      dir + "/state",
                                   "--cluster_key",   options_.key_file,
                                   "--ready_file",    dir + "/ready",
                                   "--store.reserve", "1MiB",
                                   "--store.threads", "2",
                                   "--threads",       "1",
                                   "--node_id",       machine_name(dir)};
  args.insert(args.end(), {"--store.tombstone_life", "8s"});  // lives are short
  if (options_.role != "gateway") args.insert(args.end(), {"--mountpaths", options_.mountpath});
  if (options_.join.empty()) args.insert(args.end(), {"--bootstrap"});
  if (!options_.join.empty()) args.insert(args.end(), {"--join", options_.join});
  args.insert(args.end(), options_.flags.begin(), options_.flags.end());
  return args;
}

void NodeProcess::spawn(const std::vector<std::string>& args) {
  Scheduler& scheduler = *Scheduler::current();
  Process& process = scheduler.add_process(machine_name(options_.dir));
  pid_ = process.id;
  // A thread belongs to the process of the one that makes it.
  Thread& self = *Scheduler::self();
  Process* const mine = std::exchange(self.process, &process);
  std::thread([args, &process, &scheduler] { scheduler.exit(process, run(args)); }).detach();
  self.process = mine;
}

void NodeProcess::begin_start() {
  const std::string machine = machine_name(options_.dir);
  std::vector<std::string> volumes = {options_.dir + "/state"};
  for (const std::string_view mountpath : split(options_.mountpath, ',')) {
    if (!mountpath.empty()) volumes.emplace_back(mountpath);
  }
  for (const std::string& path : volumes) {
    std::filesystem::create_directories(path);
    open_volume(path);
  }
  std::filesystem::remove(options_.dir + "/ready");
  remove_lock_files(options_.dir);
  Network::current()->power_on(machine);
  spawn(arguments());
}

bool NodeProcess::wait_started() {
  const auto until = std::chrono::steady_clock::now() + kStartMax;
  while (std::chrono::steady_clock::now() < until && running()) {
    std::ifstream file(options_.dir + "/ready");
    ready_.clear();
    for (std::string line; std::getline(file, line);) {
      const auto eq = line.find('=');
      if (eq != line.npos) ready_[line.substr(0, eq)] = line.substr(eq + 1);
    }
    if (ready_.contains("data")) return true;
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

int NodeProcess::signal_and_wait(int signal) {
  Process* const process = Scheduler::current()->find_process(pid_);
  if (process == nullptr) return 0;
  ::kill(pid_, signal);
  while (!process->dead) Scheduler::current()->wait(process, kForever);
  return process->exited ? process->exit_status : 128 + signal;
}

bool NodeProcess::running() {
  const Process* const process = Scheduler::current()->find_process(pid_);
  return process != nullptr && !process->dead;
}

std::string NodeProcess::log() const {
  const Process* const process = Scheduler::current()->find_process(pid_);
  return process == nullptr ? std::string() : process->log;
}

Endpoint NodeProcess::endpoint(const std::string& name) const {
  const auto endpoint = Endpoint::parse(at(name));
  AISFS_ASSERT(endpoint.ok());
  return *endpoint;
}

}  // namespace aisfs::tests
