// SPDX-License-Identifier: MIT
#include "tests/kit/node_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace aisfs::tests {
namespace {

constexpr auto kStartMax = std::chrono::seconds(30);
constexpr auto kLook = std::chrono::milliseconds(10);

std::string program() {
  const char* bin = std::getenv("AISFS_BIN");
  return std::string(bin != nullptr ? bin : AISFS_BUILD_BIN) + "/aisnode";
}

}  // namespace

std::vector<std::string> NodeProcess::arguments() const {
  const std::string& dir = options_.dir;
  const std::string mountpath = options_.mountpath.empty() ? dir + "/mp1" : options_.mountpath;
  std::vector<std::string> args = {program(), "--role", options_.role, "--data_dir", dir + "/state",
                                   "--cluster_key", options_.key_file, "--ready_file", dir + "/ready",
                                   "--store.reserve", "1MiB"};
  if (options_.role != "gateway") args.insert(args.end(), {"--mountpaths", mountpath});
  if (options_.join.empty()) args.insert(args.end(), {"--bootstrap"});
  if (!options_.join.empty()) args.insert(args.end(), {"--join", options_.join});
  args.insert(args.end(), options_.flags.begin(), options_.flags.end());
  return args;
}

void NodeProcess::spawn(const std::vector<std::string>& args) {
  std::vector<char*> argv;
  for (const auto& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const std::string log_file = options_.dir + "/log";
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
  if (options_.net_namespace >= 0 && ::setns(options_.net_namespace, CLONE_NEWNET) != 0) {
    ::_exit(126);
  }
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log, 2);
  for (std::string& variable : options_.environment) ::putenv(variable.data());
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

int NodeProcess::run_to_end(const std::vector<std::string>& flags) {
  std::vector<std::string> args = arguments();
  args.insert(args.end(), flags.begin(), flags.end());
  spawn(args);
  return signal_and_wait(0);
}

void NodeProcess::begin_start() {
  std::filesystem::create_directories(options_.dir + "/mp1");
  std::filesystem::remove(options_.dir + "/ready");
  spawn(arguments());
}

bool NodeProcess::wait_started() {
  const auto until = std::chrono::steady_clock::now() + kStartMax;
  while (std::chrono::steady_clock::now() < until) {
    std::ifstream file(options_.dir + "/ready");
    ready_.clear();
    for (std::string line; std::getline(file, line);) {
      const auto eq = line.find('=');
      if (eq != line.npos) ready_[line.substr(0, eq)] = line.substr(eq + 1);
    }
    if (ready_.contains("data")) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

int NodeProcess::signal_and_wait(int signal) {
  if (pid_ < 0) return 0;
  ::kill(pid_, signal);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool NodeProcess::running() {
  int status = 0;
  if (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

std::string NodeProcess::log() const {
  std::ostringstream text;
  text << std::ifstream(options_.dir + "/log").rdbuf();
  return text.str();
}

Endpoint NodeProcess::endpoint(const std::string& name) const {
  const auto endpoint = Endpoint::parse(at(name));
  AISFS_ASSERT(endpoint.ok());
  return *endpoint;
}

}  // namespace aisfs::tests
