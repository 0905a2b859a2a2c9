// SPDX-License-Identifier: MIT
#pragma once
#include <netinet/in.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/sim/os/scheduler.h"

namespace aisfs::tests::sim {

/// TCP between the machines of the simulation: what a program writes into a socket waits here until
/// it is due, and is then there to be read at the other end. Each end that a program has is a
/// socket pair of the kernel, so every call on it but those that make connections is a real one.
///
/// Links can be cut, one direction at a time: what is sent stays under way, and when the link is
/// whole again it arrives, or the connection is reset. A machine that lost its power answers
/// nothing, a process that died has its connections closed.
class Network {
 public:
  explicit Network(Scheduler& scheduler);
  static Network* current();

  // What a process does. -errno on failure; `fd` is one that socket() gave.
  int socket(int flags);
  int bind(int fd, std::uint16_t port);
  int listen(int fd);
  int accept(int fd, std::uint16_t* peer_port);
  int connect(int fd, std::uint16_t port);
  bool owns(int fd) const { return sockets_.contains(fd); }
  std::uint16_t port_of(int fd) const;
  std::uint16_t peer_port_of(int fd) const;
  /// Type of service (RFC 791): what the client of the connection has set, at both ends.
  void set_service(int fd, int value) { sockets_.at(fd).service = value; }
  int service_of(int fd) const { return sockets_.at(fd).service; }
  void closed(int fd);

  // What nemeses do.
  void cut(const std::string& from, const std::string& to);
  void heal_all();
  bool is_cut(const std::string& from, const std::string& to) const {
    return cuts_.contains({from, to});
  }
  bool is_cut() const { return !cuts_.empty(); }
  /// Each message takes from `low` to `high`.
  void set_delay(Nanos low, Nanos high) { delay_low_ = low, delay_high_ = high; }
  Nanos delay_max() const { return delay_high_; }
  /// How likely a message is the last one of its connection, and is lost.
  void set_reset_chance(double chance) { reset_chance_ = chance; }
  /// Nothing that is under way to or from it arrives, and it answers to nobody.
  void power_off(const std::string& machine);
  /// Those who still wait for it learn that it knows nothing of them.
  void power_on(const std::string& machine);
  void process_died(Process& process);

  std::uint64_t resets() const { return resets_; }
  std::uint64_t messages() const { return messages_; }

 private:
  struct Socket {
    Process* owner = nullptr;
    int ours = -1;  // the simulation's end of the pair
    std::uint16_t port = 0, peer_port = 0;
    int service = 0;
    bool listening = false;
    std::deque<int> pending;  // descriptors for accept
  };
  struct Chunk {
    std::string bytes;  // empty: the end
    Nanos due = 0;
  };
  struct Direction {
    std::deque<Chunk> chunks;
    bool ended = false;  // the sender has
    bool done = false;   // and the receiver knows
  };
  struct Side {
    Process* owner = nullptr;
    int ours = -1;
    bool reading = false;
  };
  struct Connection {
    std::uint64_t id = 0;
    Side sides[2];             // who connected, who accepted
    Direction directions[2];   // from that side
    bool established = false;  // accept() can have it
  };

  void on_event(std::uint64_t tag);
  void read_from(Connection& connection, int side);
  void deliver(std::uint64_t id, int side);
  bool flush(Connection& connection, int side);
  void reset(Connection& connection);
  void finish_if_done(Connection& connection);
  void close_side(Connection& connection, int side);
  bool link_is_cut(const Connection& connection, int side) const;
  Nanos draw_delay();
  static void block_for_ever(int fd);

  Scheduler& scheduler_;
  std::map<int, Socket> sockets_;
  std::map<std::uint16_t, int> listeners_;
  std::map<std::uint16_t, std::string> machines_of_ports_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::set<std::string> dark_;
  std::uint64_t next_id_ = 1, resets_ = 0, messages_ = 0;
  std::uint16_t next_port_ = 20'000;
  Nanos delay_low_ = 30 * kMicro, delay_high_ = 300 * kMicro;
  double reset_chance_ = 0;
};

}  // namespace aisfs::tests::sim
