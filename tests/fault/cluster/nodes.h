// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "tests/kit/etcd_process.h"
#include "tests/kit/user.h"

namespace aisfs::tests::storm {

using Random = std::mt19937_64;

/// A number from `low` to `high`.
inline std::size_t draw(Random& random, std::size_t low, std::size_t high) {
  return low + random() % (high - low + 1);
}

struct ClockFile;

/// A node of the storm, and who is doing something to it.
struct Member {
  std::string name;  // of its folder
  std::string id;
  std::string host;  // that it listens on; "": the loopback
  std::unique_ptr<NodeProcess> process;
  std::map<std::string, Endpoint> listeners;  // by name, from its first start on
  bool gateway = false;
  bool up = false;
  bool claimed = false;  // by a nemesis, which leaves it up and unclaimed
  ClockFile* clock = nullptr;
};

/// Where a node runs.
struct Home {
  std::string host;  // that it listens on; "": the loopback
  int net = -1;      // its network namespace; -1: that of this process
};

struct Shape {
  std::size_t gateways = 1;
  std::size_t targets = 3;
  bool etcd = false;  // the map is in etcd, so that any gateway may die
  int etcd_members = 1;
  std::size_t mountpaths = 1;  // of each target
  std::string clock_library;   // preloaded into each node; "": their clocks are the machine's
};

/// The nodes of one run, in folders of their own below `dir`. What it does to them is for one
/// thread, whose end would be theirs; endpoints() is for any.
class Nodes {
 public:
  /// `home`: asked for each new node by its name; null: all on the loopback.
  using FindHome = std::function<Result<Home>(const std::string& name)>;
  Nodes(std::string dir, Shape shape, FindHome home = nullptr);
  ~Nodes();

  /// Starts all, one after the other.
  Status start();

  /// Public addresses of the nodes that are members, whether they answer or not.
  std::vector<Endpoint> endpoints() const;
  Credentials admin() const;
  const Shape& shape() const { return shape_; }

  /// One that is up and not claimed, for which `wanted` is true; null when there is none.
  Member* pick(Random& random, const std::function<bool(const Member&)>& wanted);
  static bool is_target(const Member& member) { return !member.gateway; }
  std::vector<std::unique_ptr<Member>>& members() { return members_; }
  std::size_t targets_up() const;
  /// Whether the cluster has a control plane without this one.
  bool may_go(const Member& member) const;

  void kill(Member& member);
  /// At the addresses that it had. The log's end is in the error.
  Status restart(Member& member);
  /// kill() of everything, then the gateways first.
  Status restart_all();
  /// A new target.
  Status add_target();
  /// Ends a target that has left the map, for good.
  void retire(Member& member);
  /// Stops it; another thread lets it go on after that time.
  void pause(Member& member, Duration time);

  /// Null unless the map is in etcd.
  EtcdProcesses* etcd() { return etcd_.get(); }

  /// With a clock library: what the node's wall clock shows, for as long as the process lives.
  ClockFile* clock_of(const Member& member) const { return member.clock; }

  std::string folder_of(const Member& member) const { return dir_ + "/" + member.name; }

  /// Of a dead member: its folders as they are now, beside them; one copy a member.
  Status keep_copy(const Member& member);
  /// Puts the copy in their place, and them in the copy's: all, or the mountpath alone.
  Status exchange_with_copy(const Member& member, bool whole);

  /// Processes that ended by themselves; the end of their logs.
  std::vector<std::string> crashed();

 private:
  class Resumer;

  Result<Member*> add(std::string name, bool gateway);
  Status start(Member& member);
  void publish();
  std::string gateways() const;

  const std::string dir_;
  const Shape shape_;
  const FindHome home_;
  std::string key_file_;
  std::unique_ptr<EtcdProcesses> etcd_;
  std::vector<std::unique_ptr<Member>> members_;
  std::unique_ptr<Resumer> resumer_;
  std::size_t targets_made_ = 0;

  mutable std::mutex mutex_;
  std::vector<Endpoint> endpoints_;  // guarded by mutex_
};

}  // namespace aisfs::tests::storm
