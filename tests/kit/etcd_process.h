// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "common/model/cluster_map.h"

namespace aisfs::tests {

/// Real etcd members (Debian's etcd-server) on free ports of the loopback, in a folder that goes
/// with the object. Blocking; it does not wait until they serve.
class EtcdProcesses {
 public:
  /// With a certificate (PEM files; its own authority) they speak TLS to clients that show it.
  struct Certificate {
    std::string file, key_file;
  };
  explicit EtcdProcesses(int members, Certificate certificate = {});
  ~EtcdProcesses();
  EtcdProcesses(const EtcdProcesses&) = delete;
  EtcdProcesses& operator=(const EtcdProcesses&) = delete;

  std::vector<Endpoint> endpoints() const;

  void start(std::size_t member);
  /// Sends the signal; SIGKILL also waits for the end.
  void signal(std::size_t member, int signal);

 private:
  struct Member {
    std::string name;
    Endpoint client, peer;
    pid_t pid = -1;
  };
  std::string folder_;
  Certificate certificate_;
  std::vector<Member> members_;
};

}  // namespace aisfs::tests
