// SPDX-License-Identifier: MIT
#include "tests/sim/os/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/sim/os/real.h"

namespace aisfs::tests::sim {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr Nanos kRetry = 100 * kMicro;  // when the receiver's buffer is full

Network* g_network = nullptr;

void close_fd(int fd) {
  if (fd >= 0) raw_syscall(SYS_close, fd);
}

}  // namespace

Network* Network::current() { return g_network; }

Network::Network(Scheduler& scheduler) : scheduler_(scheduler) {
  g_network = this;
  scheduler_.on_event = [this](std::uint64_t tag) { on_event(tag); };
}

int Network::socket(int flags) {
  int ends[2];
  const int kind = SOCK_STREAM | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK);
  const long failed = raw_syscall(SYS_socketpair, AF_UNIX, kind, 0, reinterpret_cast<long>(ends));
  if (failed != 0) return static_cast<int>(failed);
  raw_syscall(SYS_fcntl, ends[1], F_SETFL, O_RDWR | O_NONBLOCK);
  sockets_[ends[0]] = {.owner = Scheduler::self()->process, .ours = ends[1], .pending = {}};
  return ends[0];
}

int Network::bind(int fd, std::uint16_t port) {
  if (port == 0) port = next_port_++;
  if (listeners_.contains(port)) return -EADDRINUSE;
  sockets_.at(fd).port = port;
  return 0;
}

int Network::listen(int fd) {
  Socket& socket = sockets_.at(fd);
  if (!listeners_.emplace(socket.port, fd).second) return -EADDRINUSE;
  socket.listening = true;
  machines_of_ports_[socket.port] = socket.owner->machine;
  return 0;
}

int Network::accept(int fd, std::uint16_t* peer_port) {
  Socket& listener = sockets_.at(fd);
  if (listener.pending.empty()) return -EAGAIN;
  char byte;
  raw_syscall(SYS_read, fd, reinterpret_cast<long>(&byte), 1);
  const int accepted = listener.pending.front();
  listener.pending.pop_front();
  *peer_port = sockets_.at(accepted).peer_port;
  return accepted;
}

std::uint16_t Network::port_of(int fd) const { return sockets_.at(fd).port; }
std::uint16_t Network::peer_port_of(int fd) const { return sockets_.at(fd).peer_port; }

/// Fills its buffer, so that it does not become writable until we end it.
void Network::block_for_ever(int fd) {
  const std::string bytes(kReadBytes, '\0');
  while (raw_syscall(SYS_sendto, fd, reinterpret_cast<long>(bytes.data()),
                     static_cast<long>(bytes.size()), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
}

int Network::connect(int fd, std::uint16_t port) {
  Socket& socket = sockets_.at(fd);
  const std::string& from = socket.owner->machine;
  const auto machine = machines_of_ports_.find(port);
  if (machine == machines_of_ports_.end()) return -ECONNREFUSED;
  const std::string& to = machine->second;
  if (dark_.contains(to) || is_cut(from, to) || is_cut(to, from)) {
    block_for_ever(fd);  // a packet that nobody answers
    return -EINPROGRESS;
  }
  const auto listener = listeners_.find(port);
  if (listener == listeners_.end()) return -ECONNREFUSED;
  int ends[2];
  const int kind = SOCK_STREAM | SOCK_CLOEXEC;
  raw_syscall(SYS_socketpair, AF_UNIX, kind, 0, reinterpret_cast<long>(ends));
  raw_syscall(SYS_fcntl, ends[1], F_SETFL, O_RDWR | O_NONBLOCK);
  Process* const owner = sockets_.at(listener->second).owner;
  socket.port = socket.port == 0 ? next_port_++ : socket.port;
  socket.peer_port = port;
  sockets_[ends[0]] = {.owner = owner,
                       .port = port,
                       .peer_port = socket.port,
                       .service = socket.service,
                       .pending = {}};

  auto connection = std::make_unique<Connection>();
  connection->id = next_id_++;
  connection->sides[0] = {socket.owner, std::exchange(socket.ours, -1), true};
  connection->sides[1] = {owner, ends[1], true};
  for (int side : {0, 1}) {
    scheduler_.watch(connection->sides[side].ours, connection->id * 2 + static_cast<unsigned>(side),
                     EPOLLIN);
  }
  const std::uint64_t id = connection->id;
  connections_[id] = std::move(connection);
  scheduler_.at(scheduler_.now() + draw_delay(), [this, id, port, fd_there = ends[0], owner] {
    const auto found = connections_.find(id);
    const auto there = listeners_.find(port);
    const bool listens = there != listeners_.end() && sockets_.at(there->second).owner == owner;
    if (!listens || owner->dead || found == connections_.end()) {
      if (sockets_.erase(fd_there) > 0) close_fd(fd_there);
      if (found != connections_.end()) reset(*found->second);
      return;
    }
    found->second->established = true;
    Socket& l = sockets_.at(there->second);
    l.pending.push_back(fd_there);
    raw_syscall(SYS_write, l.ours, reinterpret_cast<long>("c"), 1);
  });
  return 0;
}

void Network::closed(int fd) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return;
  Socket& socket = found->second;
  if (socket.listening) listeners_.erase(socket.port);
  close_fd(socket.ours);  // of one that has no connection
  sockets_.erase(found);
}

Nanos Network::draw_delay() {
  return static_cast<Nanos>(scheduler_.draw(static_cast<std::uint64_t>(delay_low_),
                                            static_cast<std::uint64_t>(delay_high_)));
}

bool Network::link_is_cut(const Connection& connection, int side) const {
  const Process *from = connection.sides[side].owner, *to = connection.sides[1 - side].owner;
  return is_cut(from->machine, to->machine);
}

void Network::on_event(std::uint64_t tag) {
  const auto found = connections_.find(tag / 2);
  if (found != connections_.end()) read_from(*found->second, static_cast<int>(tag % 2));
}

void Network::read_from(Connection& connection, int side) {
  Side& from = connection.sides[side];
  Direction& direction = connection.directions[side];
  if (!from.reading) return;
  std::string bytes(kReadBytes, '\0');
  const long n = raw_syscall(SYS_recvfrom, from.ours, reinterpret_cast<long>(bytes.data()),
                             static_cast<long>(bytes.size()), MSG_DONTWAIT);
  if (n == -EAGAIN || n == -EINTR) return;
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (n <= 0) {
    direction.ended = true;
    from.reading = false;
    scheduler_.unwatch(from.ours);
  }
  ++messages_;
  if (n > 0 && scheduler_.chance(reset_chance_)) return reset(connection);
  Nanos due = scheduler_.now() + draw_delay();
  if (!direction.chunks.empty()) due = std::max(due, direction.chunks.back().due);
  direction.chunks.push_back({std::move(bytes), due});
  scheduler_.at(due, [this, id = connection.id, side] { deliver(id, side); });
}

void Network::deliver(std::uint64_t id, int side) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (link_is_cut(connection, side)) return;  // heal_all() comes back to it
  if (!flush(connection, side)) return;
  finish_if_done(connection);
}

/// What is due goes into the receiver's buffer; false when the connection is gone.
bool Network::flush(Connection& connection, int side) {
  Direction& direction = connection.directions[side];
  Side& to = connection.sides[1 - side];
  if (to.ours < 0) return true;  // it has lost its power
  while (!direction.chunks.empty() && direction.chunks.front().due <= scheduler_.now()) {
    Chunk& chunk = direction.chunks.front();
    if (chunk.bytes.empty()) {
      raw_syscall(SYS_shutdown, to.ours, SHUT_WR);
      direction.done = true;
      direction.chunks.pop_front();
      continue;
    }
    const long n = raw_syscall(SYS_sendto, to.ours, reinterpret_cast<long>(chunk.bytes.data()),
                               static_cast<long>(chunk.bytes.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n == -EAGAIN) {
      scheduler_.at(scheduler_.now() + kRetry,
                    [this, id = connection.id, side] { deliver(id, side); });
      return true;
    }
    if (n < 0) {  // the receiver has closed it
      reset(connection);
      return false;
    }
    scheduler_.note(static_cast<std::uint64_t>(n));
    chunk.bytes.erase(0, static_cast<std::size_t>(n));
    if (chunk.bytes.empty()) direction.chunks.pop_front();
  }
  return true;
}

void Network::close_side(Connection& connection, int side) {
  Side& it = connection.sides[side];
  if (it.ours < 0) return;
  if (it.reading) scheduler_.unwatch(it.ours);
  it.reading = false;
  close_fd(std::exchange(it.ours, -1));
}

/// Both ends see the end of it; what is under way is lost.
void Network::reset(Connection& connection) {
  ++resets_;
  for (int side : {0, 1}) close_side(connection, side);
  connections_.erase(connection.id);
}

void Network::finish_if_done(Connection& connection) {
  if (!connection.directions[0].done || !connection.directions[1].done) return;
  for (int side : {0, 1}) close_side(connection, side);
  connections_.erase(connection.id);
}

void Network::cut(const std::string& from, const std::string& to) {
  cuts_.insert({from, to});
  scheduler_.links_cut(true);
}

void Network::heal_all() {
  cuts_.clear();
  scheduler_.links_cut(false);
  std::vector<std::uint64_t> ids;
  for (const auto& entry : connections_) ids.push_back(entry.first);
  for (const std::uint64_t id : ids) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    Connection& connection = *found->second;
    bool late = false;
    for (int side : {0, 1}) {
      const auto& chunks = connection.directions[side].chunks;
      late = late || (!chunks.empty() && chunks.front().due <= scheduler_.now());
    }
    if (!late) continue;
    // Some give up meanwhile, others go on sending what was not acknowledged.
    if (scheduler_.chance(0.5)) {
      reset(connection);
      continue;
    }
    for (int side : {0, 1}) {
      const Nanos due = scheduler_.now() + draw_delay();
      scheduler_.at(due, [this, id, side] { deliver(id, side); });
    }
  }
}

void Network::power_off(const std::string& machine) {
  dark_.insert(machine);
  for (const auto& [_, connection] : connections_) {
    for (int side : {0, 1}) {
      if (connection->sides[side].owner->machine != machine) continue;
      close_side(*connection, side);
      for (Direction& direction : connection->directions) direction.chunks.clear();
    }
  }
}

void Network::power_on(const std::string& machine) {
  dark_.erase(machine);
  std::vector<Connection*> gone;
  for (const auto& [_, connection] : connections_) {
    for (const Side& side : connection->sides) {
      if (side.ours < 0 && side.owner->machine == machine) gone.push_back(connection.get());
    }
  }
  for (Connection* connection : gone) reset(*connection);
}

/// The kernel closes what it had: peers see the end after what was sent before. After a loss of
/// power they see nothing until it is back, which closes what is still open.
void Network::process_died(Process& process) {
  for (auto at = sockets_.begin(); at != sockets_.end();) {
    if (at->second.owner != &process) {
      ++at;
      continue;
    }
    if (at->second.listening) listeners_.erase(at->second.port);
    close_fd(at->second.ours);
    at = sockets_.erase(at);
  }
  const bool dark = dark_.contains(process.machine);
  std::vector<std::uint64_t> gone;
  for (const auto& [id, connection] : connections_) {
    for (int side : {0, 1}) {
      if (connection->sides[side].owner != &process) continue;
      close_side(*connection, side);
      if (!dark) gone.push_back(id);
    }
  }
  for (const std::uint64_t id : gone) {
    const Nanos due = scheduler_.now() + draw_delay();
    scheduler_.at(due, [this, id] {
      const auto found = connections_.find(id);
      if (found != connections_.end()) reset(*found->second);
    });
  }
}

}  // namespace aisfs::tests::sim
