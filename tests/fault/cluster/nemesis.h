// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/cluster/nodes.h"

namespace aisfs::tests::storm {

class Wires;

/// One kind of trouble. Several work on the same nodes in turns, on the thread of the nodes; a
/// member that one has in hand is claimed, and the others leave it alone.
class Nemesis {
 public:
  virtual ~Nemesis() = default;

  /// Does the next thing; returns after how long it wants to do another. Fails when a node does not
  /// come back that should.
  virtual Result<Duration> step() = 0;
  /// Ends what it has under way: the nodes that it has in hand run again.
  virtual Status heal() = 0;
  /// After all nemeses have healed: what an administrator has to say when all nodes run.
  virtual Status repair() { return {}; }
  /// What it has done so far, for people: "kills 12".
  virtual std::string done() const = 0;
  /// How many of the things that it is there for.
  virtual std::size_t deeds() const { return 0; }
};

/// kill        kill -9 of some nodes and their restart; sometimes of all at once
/// pause       SIGSTOP for 0.1 s to 15 s, which is longer than a lease
/// members     targets come, go into maintenance, return, leave for good
/// away        a target is dead for longer than its lease
/// lose        a target is dead for good: it is given up, and a new one joins. Only of a cluster
/// that
///             keeps copies
/// old-copy    a target comes back with all of its folders as they were before its last start
/// old-image   a target comes back with all of its folders as they were since its last start
/// old-disk    a target comes back with its mountpath alone as it was before its last start
/// none        nothing
///
/// Beside these, of nodes that have more than a loopback (run.cc), alone, together or with pause:
///
/// partition   links carry nothing for up to 18 s, between some machines, in one direction or both,
///             or now and then
/// clock       wall clocks jump, swing or stand still
///
std::unique_ptr<Nemesis> make_nemesis(std::string_view name, Nodes& nodes, std::uint64_t seed);

bool is_nemesis(std::string_view name);

/// Those that a cluster has to bear: a run that is told none draws one or two of these. Of an old
/// image or disk it knows nothing yet, and loses what was written since.
const std::vector<std::string>& usual_nemeses();

// What make_nemesis is made of.
std::unique_ptr<Nemesis> make_kill(Nodes& nodes, Random random);
std::unique_ptr<Nemesis> make_pause(Nodes& nodes, Random random);
std::unique_ptr<Nemesis> make_members(Nodes& nodes, Random random);
std::unique_ptr<Nemesis> make_away(Nodes& nodes, Random random);
std::unique_ptr<Nemesis> make_lose(Nodes& nodes, Random random);
std::unique_ptr<Nemesis> make_partition(Nodes& nodes, Wires& wires, std::uint64_t seed);
std::unique_ptr<Nemesis> make_clock(Nodes& nodes, std::uint64_t seed);
enum class OldData : std::uint8_t { kCopy, kImage, kDisk };
std::unique_ptr<Nemesis> make_old_data(Nodes& nodes, Random random, OldData what);

/// A time from `low` to `high`.
inline Duration draw_time(Random& random, Duration low, Duration high) {
  return low + Duration(static_cast<Duration::rep>(
                   random() % static_cast<std::uint64_t>((high - low).count() + 1)));
}

}  // namespace aisfs::tests::storm
