// SPDX-License-Identifier: MIT
// Targets that come and go, and those that come back with what they had before.
#include <set>

#include "tests/fault/cluster/nemesis.h"

namespace aisfs::tests::storm {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kTargetsMax = 6;
constexpr std::size_t kActiveMin = 2;
constexpr Duration kBeyondLease = std::chrono::seconds(11);
// Until the version clock's ceiling has been raised and told, an image is as good as the disk.
constexpr Duration kNoticed = std::chrono::seconds(13);

class Members final : public Nemesis {
 public:
  Members(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (!user_) user_ = std::make_unique<User>(nodes_.endpoints(), nodes_.admin());
    if (user_->why_not().empty()) {
      const MapSnapshot map = user_->api().current();
      retire_those_gone(*map);
      CHECK_OK(change(*user_, *map));
    } else {
      user_.reset();
    }
    return draw_time(random_, milliseconds(300), seconds(2));
  }

  Status heal() override { return {}; }

  std::string done() const override {
    return "joins " + std::to_string(joins_) + ", changes " + std::to_string(changes_) + " and " +
           std::to_string(refused_) + " refused";
  }
  std::size_t deeds() const override { return joins_ + changes_; }

 private:
  Status change(User& user, const ClusterMap& map) {
    const auto state_is = [&map](NodeState state) {
      return [&map, state](const Member& member) {
        const NodeInfo* node = map.find_node(member.id);
        return !member.gateway && node != nullptr && node->state == state;
      };
    };
    const bool spare = map.active_targets().size() > kActiveMin;
    switch (random_() % 4) {
      case 0:
        if (nodes_.targets_up() >= kTargetsMax) break;
        ++joins_;
        return nodes_.add_target();
      case 1:
        if (spare) act(user, state_is(NodeState::kActive), NodeAction::kStartMaintenance);
        break;
      case 2:
        act(user, state_is(NodeState::kMaintenance), NodeAction::kStopMaintenance);
        break;
      default:
        if (!spare) break;
        act(user, state_is(random_() % 2 == 0 ? NodeState::kActive : NodeState::kMaintenance),
            NodeAction::kDecommission);
    }
    return {};
  }

  /// Refusals are what a busy cluster may say.
  void act(User& user, const std::function<bool(const Member&)>& wanted, NodeAction action) {
    const Member* member = nodes_.pick(random_, wanted);
    if (member == nullptr) return;
    if (action == NodeAction::kDecommission) leaving_.insert(member->id);
    const Status done =
        user.run(user.api().change_node(User::within(seconds(10)), member->id, action));
    ++(done ? changes_ : refused_);
  }

  void retire_those_gone(const ClusterMap& map) {
    for (const std::string& id : std::set(leaving_)) {
      if (map.find_node(id) != nullptr) continue;
      Member* member = nodes_.pick(random_, [&](const Member& m) { return m.id == id; });
      if (member == nullptr) continue;
      nodes_.retire(*member);
      leaving_.erase(id);
    }
  }

  Nodes& nodes_;
  Random random_;
  std::unique_ptr<User> user_;
  std::set<std::string> leaving_;
  std::size_t joins_ = 0, changes_ = 0, refused_ = 0;
};

/// A target that others can do without, claimed.
Member* take_target(Nodes& nodes, Random& random) {
  if (nodes.targets_up() <= 1) return nullptr;
  Member* member = nodes.pick(random, Nodes::is_target);
  if (member != nullptr) member->claimed = true;
  return member;
}

class Away final : public Nemesis {
 public:
  Away(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (gone_ != nullptr) {
      CHECK_OK(heal());
      return draw_time(random_, seconds(1), seconds(4));
    }
    gone_ = take_target(nodes_, random_);
    if (gone_ == nullptr) return Duration(seconds(1));
    nodes_.kill(*gone_);
    ++times_;
    return draw_time(random_, kBeyondLease, kBeyondLease + seconds(6));
  }

  Status heal() override {
    if (gone_ == nullptr) return {};
    Member& member = *std::exchange(gone_, nullptr);
    member.claimed = false;
    return nodes_.restart(member);
  }

  std::string done() const override { return "away " + std::to_string(times_); }
  std::size_t deeds() const override { return times_; }

 private:
  Nodes& nodes_;
  Random random_;
  Member* gone_ = nullptr;
  std::size_t times_ = 0;
};

/// One at a time, when all names have their copies.
class Lose final : public Nemesis {
 public:
  Lose(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (!user_) user_ = std::make_unique<User>(nodes_.endpoints(), nodes_.admin());
    if (!user_->why_not().empty()) {
      user_.reset();
      return Duration(seconds(1));
    }
    if (lost_ != nullptr) return give_up();
    const MapSnapshot map = user_->api().current();
    const bool all_there = map->placement.settled() && map->active_targets().size() > kActiveMin;
    lost_ = all_there ? take_target(nodes_, random_) : nullptr;
    if (lost_ == nullptr) return Duration(milliseconds(500));
    nodes_.kill(*lost_);
    ++killed_;
    return draw_time(random_, kBeyondLease, kBeyondLease + seconds(3));
  }

  /// One that is still known comes back as one that was away.
  Status heal() override {
    if (lost_ == nullptr) return {};
    if (has_been_given_up()) return replace();
    Member& member = *lost_;
    const Status back = nodes_.restart(member);
    // A node that is behind, or was not reached, did not know.
    if (!back && has_been_given_up()) return replace();
    lost_ = nullptr;
    member.claimed = false;
    return back;
  }

  std::string done() const override {
    return "killed for good " + std::to_string(killed_) + ", given up " + std::to_string(given_up_);
  }
  std::size_t deeds() const override { return killed_; }

 private:
  Result<Duration> give_up() {
    const Status done = user_->run(
        user_->api().change_node(User::within(seconds(10)), lost_->id, NodeAction::kDataLost));
    // Its lease may not be over, or nobody governs; or the answer was lost.
    if (!done && !has_been_given_up()) return Duration(seconds(1));
    CHECK_OK(replace());
    return draw_time(random_, milliseconds(500), seconds(2));
  }

  Status replace() {
    nodes_.retire(*std::exchange(lost_, nullptr));
    ++given_up_;
    return nodes_.add_target();
  }

  bool has_been_given_up() const {
    User fresh(nodes_.endpoints(), nodes_.admin());
    if (!fresh.why_not().empty()) return false;
    return fresh.api().current()->find_node(lost_->id) == nullptr;
  }

  Nodes& nodes_;
  Random random_;
  std::unique_ptr<User> user_;
  Member* lost_ = nullptr;
  std::size_t killed_ = 0, given_up_ = 0;
};

/// Takes a copy of a target's folders, lets it run on, and puts the copy in their place. The
/// cluster must refuse it as restored, or not believe what it has.
class OldFolders final : public Nemesis {
 public:
  OldFolders(Nodes& nodes, Random random, OldData what)
      : nodes_(nodes), random_(random), what_(what), whole_(what != OldData::kDisk) {}

  Result<Duration> step() override {
    switch (phase_) {
      case Phase::kIdle:
        member_ = take_target(nodes_, random_);
        if (member_ == nullptr) return Duration(seconds(1));
        CHECK_OK(copy());
        phase_ = Phase::kRunsOn;
        if (what_ == OldData::kImage) return draw_time(random_, kNoticed, kNoticed + seconds(3));
        return draw_time(random_, seconds(2), seconds(5));
      case Phase::kRunsOn:
        nodes_.kill(*member_);
        phase_ = Phase::kDead;
        return random_() % 2 == 0 ? Duration(milliseconds(50)) : kBeyondLease + seconds(2);
      case Phase::kDead:
        CHECK_OK(come_back());
        return draw_time(random_, seconds(1), seconds(3));
    }
    return Duration(seconds(1));
  }

  Status heal() override {
    if (phase_ == Phase::kDead) CHECK_OK(nodes_.restart(*member_));
    if (phase_ != Phase::kIdle) member_->claimed = false;
    phase_ = Phase::kIdle;
    return {};
  }

  std::string done() const override {
    return "old folders refused " + std::to_string(refused_) + ", taken " + std::to_string(taken_);
  }
  std::size_t deeds() const override { return refused_ + taken_; }

 private:
  enum class Phase : std::uint8_t { kIdle, kRunsOn, kDead };

  /// An image is one of the disks at a moment, as of a machine that is set back.
  Status copy() {
    if (what_ == OldData::kImage) {
      member_->process->signal(SIGSTOP);
      Status copied = nodes_.keep_copy(*member_);
      member_->process->signal(SIGCONT);
      return copied;
    }
    nodes_.kill(*member_);
    CHECK_OK(nodes_.keep_copy(*member_));
    return nodes_.restart(*member_);
  }

  Status come_back() {
    CHECK_OK(nodes_.exchange_with_copy(*member_, whole_));
    const Status started = nodes_.restart(*member_);
    ++(started ? taken_ : refused_);
    if (!started) {
      CHECK_OK(nodes_.exchange_with_copy(*member_, whole_));
      CHECK_OK(nodes_.restart(*member_));
    }
    phase_ = Phase::kIdle;
    member_->claimed = false;
    return {};
  }

  Nodes& nodes_;
  Random random_;
  const OldData what_;
  const bool whole_;
  Phase phase_ = Phase::kIdle;
  Member* member_ = nullptr;
  std::size_t refused_ = 0, taken_ = 0;
};

}  // namespace

std::unique_ptr<Nemesis> make_members(Nodes& nodes, Random random) {
  return std::make_unique<Members>(nodes, random);
}

std::unique_ptr<Nemesis> make_away(Nodes& nodes, Random random) {
  return std::make_unique<Away>(nodes, random);
}

std::unique_ptr<Nemesis> make_lose(Nodes& nodes, Random random) {
  return std::make_unique<Lose>(nodes, random);
}

std::unique_ptr<Nemesis> make_old_data(Nodes& nodes, Random random, OldData what) {
  return std::make_unique<OldFolders>(nodes, random, what);
}

}  // namespace aisfs::tests::storm
