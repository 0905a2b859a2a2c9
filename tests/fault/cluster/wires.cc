// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/wires.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace aisfs::tests::storm {
namespace {

const std::string kNet = "10.77.0.";
constexpr int kNobody = 254;  // of this hardware address there is no machine

std::string address_of(int number) { return kNet + std::to_string(number); }
std::string hardware_of(int number) {
  char text[32];
  std::snprintf(text, sizeof text, "02:00:00:00:00:%02x", static_cast<unsigned>(number));
  return text;
}

Status run_here(const std::string& commands) {
  if (std::system(("sh -ec '" + commands + "'").c_str()) == 0) return {};
  return Error(Errc::io, "failed: " + commands);
}

UniqueFd net_of_this_thread() {
  return UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

/// On a thread that is in no other namespace afterwards either.
Status run_in(int net, const std::string& commands) {
  Status done;
  std::thread([&] {
    done = ::setns(net, CLONE_NEWNET) == 0 ? run_here(commands) : Status(errno_error("setns"));
  }).join();
  return done;
}

}  // namespace

Result<std::unique_ptr<Wires>> Wires::make() {
  if (::unshare(CLONE_NEWNET) != 0) return errno_error("a network of its own");
  std::unique_ptr<Wires> wires(new Wires);
  wires->machines_[kClients] = {.number = 1, .device = "br0", .net = net_of_this_thread()};
  CHECK_OK(run_here("ip link set lo up; ip link add br0 address " + hardware_of(1) +
                    " type bridge; ip addr add " + address_of(1) +
                    "/24 dev br0; ip link set br0 up"));
  return wires;
}

Result<Home> Wires::add(const std::string& name) {
  Machine machine{.number = static_cast<int>(machines_.size()) + 1, .device = "eth0"};
  if (machine.number >= kNobody) return Error(Errc::invalid_argument, "too many machines");
  std::thread([&machine] {
    if (::unshare(CLONE_NEWNET) == 0) machine.net = net_of_this_thread();
  }).join();
  if (!machine.net.valid()) return errno_error("a network namespace");
  const std::string net =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(machine.net.get());
  const std::string port = "v" + std::to_string(machine.number);
  CHECK_OK(run_here("ip link add " + port + " type veth peer name eth0 address " +
                    hardware_of(machine.number) + " netns " + net + "; ip link set " + port +
                    " master br0 up"));
  CHECK_OK(run_in(machine.net.get(), "ip link set lo up; ip addr add " +
                                         address_of(machine.number) +
                                         "/24 dev eth0; ip link set eth0 up"));
  Home home{.host = address_of(machine.number), .net = machine.net.get()};
  const std::vector<std::string> others = machines();
  machines_[name] = std::move(machine);
  CHECK_OK(write_neighbours(name, others));
  for (const std::string& other : others) CHECK_OK(write_neighbours(other, {name}));
  return home;
}

std::vector<std::string> Wires::machines() const {
  std::vector<std::string> names;
  for (const auto& [name, _] : machines_) names.push_back(name);
  return names;
}

/// Nobody is asked for a hardware address, so that of nobody swallows what is sent there.
Status Wires::write_neighbours(const std::string& of, const std::vector<std::string>& others) {
  const Machine& machine = machines_.at(of);
  std::string commands;
  for (const std::string& other : others) {
    const int number = machines_.at(other).number;
    const bool cut = cuts_.contains({of, other});
    commands += "ip neigh replace " + address_of(number) + " lladdr " +
                hardware_of(cut ? kNobody : number) + " dev " + machine.device + " nud permanent; ";
  }
  return commands.empty() ? Status() : run_in(machine.net.get(), commands);
}

Status Wires::set_cuts(Cuts cuts) {
  const Cuts before = std::exchange(cuts_, std::move(cuts));
  for (const auto& [name, _] : machines_) {
    std::vector<std::string> changed;
    for (const auto& [other, __] : machines_) {
      const std::pair link(name, other);
      if (before.contains(link) != cuts_.contains(link)) changed.push_back(other);
    }
    CHECK_OK(write_neighbours(name, changed));
  }
  return {};
}

}  // namespace aisfs::tests::storm
