// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <string>
#include <vector>

#include "tests/fault/points/calls.h"
#include "tests/fault/points/scenarios.h"

namespace aisfs::tests::points {

/// What a process did that may have been killed.
struct Deed {
  bool acked = false;  // the change said that it was done
  bool ended = false;  // the process came to its end
  std::uint64_t calls = 0;
  std::string hit;    // the call at which it happened
  std::string error;  // of the change, or why nothing could be done at all
  std::string view;   // after the change
  std::string after;  // what was wrong afterwards, in the same process
};

/// Tries the scenarios with one kind of fault at each of their calls, each time in a fresh copy of
/// the folders and a process of its own.
class Trials {
 public:
  /// `dir`: an empty folder on the file system that is tried. `image`: where it is mounted from,
  /// for losses of power.
  Trials(std::string dir, std::string image) : dir_(std::move(dir)), image_(std::move(image)) {}

  /// At each `every`-th call, beginning with the `first`. Prints a line; false when something was
  /// wrong.
  bool run(
      const Scenario& scenario, Fault fault, int error, std::uint64_t every, std::uint64_t first);

  std::size_t points() const { return points_; }
  std::size_t wrongs() const { return wrongs_; }

 private:
  bool learn(const Scenario& scenario);
  std::uint64_t calls_of(const Scenario& scenario, const Plan& plan);
  bool make_fresh_copy();
  bool try_point(const Scenario& scenario, const Plan& plan);
  std::string judge(const Scenario& scenario, const Plan& plan, const Deed& deed);
  std::string look_again(const Plan& plan, std::string& view, bool rebuilt);
  bool mount_again();
  std::string work() const { return dir_ + "/work"; }

  const std::string dir_, image_;
  std::string learnt_;          // the scenario that the following are of
  std::string before_, after_;  // views
  std::size_t points_ = 0, wrongs_ = 0;
};

}  // namespace aisfs::tests::points
