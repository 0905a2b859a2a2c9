// SPDX-License-Identifier: MIT
#include "tests/kit/etcd_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "common/base/unique_fd.h"

namespace aisfs::tests {
namespace {

Endpoint free_endpoint() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  AISFS_ASSERT(::bind(fd.get(), any, size) == 0 && ::getsockname(fd.get(), any, &size) == 0);
  return {"127.0.0.1", ntohs(address.sin_port)};
}

std::string url(const Endpoint& endpoint, bool tls = false) {
  return (tls ? "https://" : "http://") + endpoint.to_string();
}

}  // namespace

EtcdProcesses::EtcdProcesses(int members, Certificate certificate)
    : certificate_(std::move(certificate)) {
  std::string folder = "/tmp/aisfs-etcd-XXXXXX";
  AISFS_ASSERT(::mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  for (int i = 0; i < members; ++i) {
    members_.push_back({"e" + std::to_string(i), free_endpoint(), free_endpoint(), -1});
  }
  for (std::size_t i = 0; i < members_.size(); ++i) start(i);
}

EtcdProcesses::~EtcdProcesses() {
  for (std::size_t i = 0; i < members_.size(); ++i) signal(i, SIGKILL);
  std::filesystem::remove_all(folder_);
}

std::vector<Endpoint> EtcdProcesses::endpoints() const {
  std::vector<Endpoint> all;
  for (const Member& member : members_) all.push_back(member.client);
  return all;
}

void EtcdProcesses::start(std::size_t index) {
  Member& member = members_[index];
  std::string cluster;
  for (const Member& m : members_)
    cluster += (cluster.empty() ? "" : ",") + m.name + "=" + url(m.peer);
  const bool tls = !certificate_.file.empty();
  std::vector<std::string> args = {"etcd",
                                   "--name",
                                   member.name,
                                   "--data-dir",
                                   folder_ + "/" + member.name,
                                   "--listen-client-urls",
                                   url(member.client, tls),
                                   "--advertise-client-urls",
                                   url(member.client, tls),
                                   "--listen-peer-urls",
                                   url(member.peer),
                                   "--initial-advertise-peer-urls",
                                   url(member.peer),
                                   "--initial-cluster",
                                   cluster,
                                   "--log-level",
                                   "error"};
  if (tls) {
    const auto& [file, key_file] = certificate_;
    args.insert(args.end(), {"--cert-file", file, "--key-file", key_file, "--trusted-ca-file", file,
                             "--client-cert-auth"});
  }
  std::vector<char*> argv;
  for (const auto& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const std::string log_file = folder_ + "/" + member.name + ".log";
  member.pid = ::fork();
  if (member.pid != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

void EtcdProcesses::signal(std::size_t index, int signal) {
  Member& member = members_[index];
  if (member.pid < 0) return;
  ::kill(member.pid, signal);
  if (signal != SIGKILL) return;
  ::waitpid(member.pid, nullptr, 0);
  member.pid = -1;
}

}  // namespace aisfs::tests
