// SPDX-License-Identifier: MIT
// Sockets as the simulation has them: the calls that make connections. Reading and writing are the
// kernel's own.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "tests/sim/os/disk.h"
#include "tests/sim/os/network.h"
#include "tests/sim/os/real.h"

using namespace aisfs::tests::sim;

namespace {

int result_of(long r) {
  if (r >= 0) return static_cast<int>(r);
  errno = static_cast<int>(-r);
  return -1;
}

Network* network() { return Scheduler::self() != nullptr ? Network::current() : nullptr; }

bool is_ours(int fd) { return network() != nullptr && network()->owns(fd); }

void fill_address(std::uint16_t port, sockaddr* address, socklen_t* length) {
  if (address == nullptr || length == nullptr) return;
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memcpy(address, &in, std::min<std::size_t>(*length, sizeof in));
  *length = sizeof in;
}

std::uint16_t port_in(const sockaddr* address) {
  sockaddr_in in{};
  std::memcpy(&in, address, sizeof in);
  return ntohs(in.sin_port);
}

}  // namespace

AISFS_SIM_CALL(int, socket, sim_socket, int family, int kind, int protocol) {
  if (network() != nullptr && family == AF_INET) return result_of(network()->socket(kind));
  return result_of(raw_syscall(SYS_socket, family, kind, protocol));
}
AISFS_SIM_CALL(int, bind, sim_bind, int fd, const sockaddr* address, socklen_t length) {
  if (is_ours(fd)) return result_of(network()->bind(fd, port_in(address)));
  return result_of(raw_syscall(SYS_bind, fd, reinterpret_cast<long>(address), length));
}
AISFS_SIM_CALL(int, listen, sim_listen, int fd, int backlog) {
  if (is_ours(fd)) return result_of(network()->listen(fd));
  return result_of(raw_syscall(SYS_listen, fd, backlog));
}
AISFS_SIM_CALL(int, accept, sim_accept, int fd, sockaddr* address, socklen_t* length) {
  if (!is_ours(fd)) {
    return result_of(raw_syscall(SYS_accept, fd, reinterpret_cast<long>(address),
                                 reinterpret_cast<long>(length)));
  }
  std::uint16_t port = 0;
  const int accepted = network()->accept(fd, &port);
  if (accepted >= 0) fill_address(port, address, length);
  return result_of(accepted);
}
AISFS_SIM_CALL(int, connect, sim_connect, int fd, const sockaddr* address, socklen_t length) {
  if (is_ours(fd)) return result_of(network()->connect(fd, port_in(address)));
  return result_of(raw_syscall(SYS_connect, fd, reinterpret_cast<long>(address), length));
}
AISFS_SIM_CALL(int, getsockname, sim_getsockname, int fd, sockaddr* address, socklen_t* length) {
  if (is_ours(fd)) {
    fill_address(network()->port_of(fd), address, length);
    return 0;
  }
  return result_of(raw_syscall(SYS_getsockname, fd, reinterpret_cast<long>(address),
                               reinterpret_cast<long>(length)));
}
AISFS_SIM_CALL(int, getpeername, sim_getpeername, int fd, sockaddr* address, socklen_t* length) {
  if (is_ours(fd)) {
    fill_address(network()->peer_port_of(fd), address, length);
    return 0;
  }
  return result_of(raw_syscall(SYS_getpeername, fd, reinterpret_cast<long>(address),
                               reinterpret_cast<long>(length)));
}
AISFS_SIM_CALL(int,
               setsockopt,
               sim_setsockopt,
               int fd,
               int level,
               int name,
               const void* value,
               socklen_t length) {
  if (is_ours(fd)) {
    if (level == IPPROTO_IP && name == IP_TOS) {
      network()->set_service(fd, *static_cast<const int*>(value));
    }
    return 0;
  }
  return result_of(
      raw_syscall(SYS_setsockopt, fd, level, name, reinterpret_cast<long>(value), length));
}
AISFS_SIM_CALL(
    int, getsockopt, sim_getsockopt, int fd, int level, int name, void* value, socklen_t* length) {
  if (is_ours(fd) && level == IPPROTO_TCP && name == TCP_SAVED_SYN) {
    auto* const packet = static_cast<unsigned char*>(value);
    packet[0] = 0x45;  // IPv4, without options
    packet[1] = static_cast<unsigned char>(network()->service_of(fd));
    *length = 2;
    return 0;
  }
  return result_of(raw_syscall(SYS_getsockopt, fd, level, name, reinterpret_cast<long>(value),
                               reinterpret_cast<long>(length)));
}

AISFS_SIM_CALL(int, timerfd_create, sim_timerfd_create, int, int) {
  errno = EMFILE;  // so that Asio waits for its timers in epoll_wait
  return -1;
}

AISFS_SIM_CALL(
    int, epoll_wait, sim_epoll_wait, int epoll, epoll_event* events, int max, int timeout_ms) {
  const auto poll = [&](int timeout) {
    return raw_syscall(SYS_epoll_pwait, epoll, reinterpret_cast<long>(events), max, timeout, 0, 8);
  };
  if (Scheduler::self() == nullptr) return result_of(poll(timeout_ms));
  Scheduler& s = *Scheduler::current();
  const long ready = poll(0);
  if (ready != 0 || timeout_ms == 0) {
    s.maybe_yield();
    return result_of(ready);
  }
  s.wait_epoll(epoll, timeout_ms < 0 ? kForever : s.now() + timeout_ms * kMilli);
  return result_of(poll(0));
}

AISFS_SIM_CALL(int, close, sim_close, int fd) {
  if (Scheduler::self() != nullptr) {
    if (network() != nullptr) network()->closed(fd);
    Scheduler::current()->unwatch(fd);
    if (Disk::current() != nullptr) Disk::current()->closed(fd);
  }
  return result_of(raw_syscall(SYS_close, fd));
}
