// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::tests {

/// A real aisnode in a folder of its own, on free ports of the loopback. The program comes from
/// $AISFS_BIN or the build. Blocking; killed with the object.
class NodeProcess {
 public:
  struct Options {
    std::string dir;  // made if missing; state/ and mp1/ lie in it
    std::string role = "target";
    std::string key_file;
    std::string join;                // "": the first gateway, which makes the cluster
    std::string mountpath;           // "": dir/mp1
    std::vector<std::string> flags;  // more settings
    std::vector<std::string> environment = {};  // more of it, "NAME=VALUE"
    int net_namespace = -1;  // that it runs in, a descriptor; -1: the one of the test
  };

  explicit NodeProcess(Options options) : options_(std::move(options)) {}
  ~NodeProcess() { signal_and_wait(9); }
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  /// Starts it and waits until it serves: true; or has ended: false, see log().
  bool start() {
    begin_start();
    return wait_started();
  }
  /// The two halves of it, so that several can start at once.
  void begin_start();
  bool wait_started();
  /// Runs it with more flags, as long as it runs by itself; its exit status.
  int run_to_end(const std::vector<std::string>& flags);
  void set_flags(std::vector<std::string> flags) { options_.flags = std::move(flags); }
  void signal(int signal) {
    if (pid_ > 0) ::kill(pid_, signal);  // -1 would be everybody
  }
  /// Sends the signal and waits for the end; its exit status, 128 + signal when killed.
  int signal_and_wait(int signal);
  /// Whether it was started and has neither ended nor been ended.
  bool running();
  std::string log() const;

  pid_t pid() const { return pid_; }  // -1: none

  /// As the ready file says: "node", "public", "s3", "control", "data".
  std::string at(const std::string& name) const { return ready_.at(name); }
  Endpoint endpoint(const std::string& name) const;
  const Options& options() const { return options_; }

 private:
  std::vector<std::string> arguments() const;
  void spawn(const std::vector<std::string>& args);

  Options options_;
  pid_t pid_ = -1;
  std::map<std::string, std::string> ready_;
};

}  // namespace aisfs::tests
