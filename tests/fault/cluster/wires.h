// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/unique_fd.h"
#include "tests/fault/cluster/nodes.h"

namespace aisfs::tests::storm {

/// A network of this process's own: each node has a machine (a network namespace) with an address,
/// all of them and the clients hang on one switch. What one sends to another can be lost on the
/// way, in one direction, without a word to either. Needs root and the program ip. One thread.
class Wires {
 public:
  static constexpr const char* kClients = "clients";

  /// The calling thread, and those that it starts from now on, are the clients: it leaves the
  /// network of the machine for good.
  static Result<std::unique_ptr<Wires>> make();

  /// A new machine, for the node of this name.
  Result<Home> add(const std::string& name);
  std::vector<std::string> machines() const;

  /// From now on these are the pairs whose first sends nothing that the second gets.
  using Cuts = std::set<std::pair<std::string, std::string>>;
  Status set_cuts(Cuts cuts);
  const Cuts& cuts() const { return cuts_; }

 private:
  struct Machine {
    int number = 0;      // the last of its address
    std::string device;  // on which it reaches the others
    UniqueFd net;        // its namespace
  };

  Wires() = default;
  Status write_neighbours(const std::string& of, const std::vector<std::string>& others);

  std::map<std::string, Machine> machines_;
  Cuts cuts_;
};

}  // namespace aisfs::tests::storm
