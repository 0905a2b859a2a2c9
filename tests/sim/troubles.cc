// SPDX-License-Identifier: MIT
#include "tests/sim/troubles.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>

#include "tests/kit/user.h"
#include "tests/sim/simulation.h"

namespace aisfs::tests::sim {
namespace {

using std::chrono::milliseconds;
using storm::draw;
using storm::draw_time;
using storm::Member;
using storm::Nodes;
using storm::Random;

constexpr Nanos kUsualDelayLow = 30 * kMicro, kUsualDelayHigh = 300 * kMicro;
constexpr Nanos kUsualSyncLow = 100 * kMicro, kUsualSyncHigh = 3 * kMilli;
const std::string kClients = "client";  // the machine of all clients

Process* process_of(const Member& member) {
  return Scheduler::current()->find_process(member.process->pid());
}
std::string folder_of(const Member& member) { return member.process->options().dir; }

/// Whoever starts has to become a member: no link is cut or bad, and all clocks agree.
bool may_join() {
  const Network& network = *Network::current();
  return !network.is_cut() && network.delay_max() == kUsualDelayHigh &&
         !Scheduler::current()->clocks_differ() && !Disk::current()->has_errors();
}

class Crash final : public storm::Nemesis {
 public:
  Crash(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (!down_.empty()) {
      end_those_with_traps();
      if (Status back = restart(); !back && may_join()) return back.error();
      return draw_time(random_, milliseconds(500), seconds(4));
    }
    const bool all = random_() % kAllOnceIn == 0;
    const std::size_t count = all ? nodes_.members().size() : draw(random_, 1, 2);
    const How how = draw_how();
    for (std::size_t i = 0; i < count; ++i) {
      Member* const member =
          nodes_.pick(random_, [&](const Member& m) { return all || may_crash(m); });
      if (member == nullptr) break;
      crash(*member, all && how != How::kKill ? How::kPower : how);
    }
    if (random_() % 6 == 0) return draw_time(random_, seconds(11), seconds(15));  // beyond a lease
    return draw_time(random_, milliseconds(10), seconds(3));
  }

  Status heal() override {
    end_those_with_traps();
    return restart();
  }

  std::string done() const override {
    return "kills " + std::to_string(kills_) + ", losses of power " + std::to_string(losses_) +
           ", in the middle " + std::to_string(traps_);
  }

 private:
  static constexpr std::uint64_t kAllOnceIn = 7;
  enum class How : std::uint8_t { kKill, kPower, kKillInside, kPowerInside };
  struct Down {
    Member* member;
    How how;
    bool over;  // it has happened
  };

  How draw_how() { return static_cast<How>(random_() % 4); }

  /// Without the gateway that has the map nothing changes: not too often.
  bool may_crash(const Member& member) { return nodes_.may_go(member) || random_() % 3 == 0; }

  void crash(Member& member, How how) {
    member.claimed = true;
    member.up = false;
    down_.push_back({&member, how, false});
    if (how == How::kKillInside || how == How::kPowerInside) {
      ++traps_;
      process_of(member)->steps_to_live = draw(random_, 1, 200);
    } else {
      end(down_.back());
    }
  }

  void end(Down& down) {
    if (std::exchange(down.over, true)) return;
    const bool power = down.how == How::kPower || down.how == How::kPowerInside;
    ++(power ? losses_ : kills_);
    if (power) {
      cut_power(folder_of(*down.member), process_of(*down.member));
    } else if (Process* process = process_of(*down.member); !process->dead) {
      Scheduler::current()->kill(*process);
    }
  }

  void end_those_with_traps() {
    for (Down& down : down_) end(down);
  }

  /// The gateway with the map first, then the others: who starts asks them.
  Status restart() {
    std::ranges::sort(down_, {}, [](const Down& down) { return down.member->name; });
    while (!down_.empty()) {
      Member& member = *down_.front().member;
      CHECK_OK(nodes_.restart(member));
      member.claimed = false;
      down_.erase(down_.begin());
    }
    return {};
  }

  Nodes& nodes_;
  Random random_;
  std::vector<Down> down_;
  std::size_t kills_ = 0, losses_ = 0, traps_ = 0;
};

class Partition final : public storm::Nemesis {
 public:
  Partition(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (Network::current()->is_cut()) {
      Network::current()->heal_all();
      return draw_time(random_, milliseconds(500), seconds(4));
    }
    ++times_;
    cut_some();
    if (random_() % 2 == 0) return draw_time(random_, milliseconds(100), seconds(2));
    return draw_time(random_, seconds(3), seconds(18));
  }

  Status heal() override {
    Network::current()->heal_all();
    return {};
  }

  std::string done() const override { return "partitions " + std::to_string(times_); }

 private:
  bool is_gateway(const std::string& machine) const {
    return std::ranges::any_of(nodes_.members(), [&](const auto& member) {
      return member->gateway && member->name == machine;
    });
  }

  void cut_some() {
    std::vector<std::string> machines{kClients};
    for (const auto& member : nodes_.members()) machines.push_back(member->name);
    const std::string one = machines[random_() % machines.size()];
    const std::string two = machines[random_() % machines.size()];
    const bool outwards = random_() % 4 != 0, inwards = !outwards || random_() % 3 != 0;
    const std::size_t what = random_() % 4;
    for (const std::string& other : machines) {
      const bool hit = what == 0   ? true
                       : what == 1 ? other == two
                       : what == 2 ? is_gateway(other)  // so its lease ends while others reach it
                                   : random_() % 2 == 0;
      if (other == one || !hit) continue;
      if (outwards) Network::current()->cut(one, other);
      if (inwards) Network::current()->cut(other, one);
    }
  }

  Nodes& nodes_;
  Random random_;
  std::size_t times_ = 0;
};

class Link final : public storm::Nemesis {
 public:
  explicit Link(Random random) : random_(random) {}

  Result<Duration> step() override {
    Network& network = *Network::current();
    if (std::exchange(bad_, !bad_)) {
      static_cast<void>(heal());
      return draw_time(random_, milliseconds(200), seconds(2));
    }
    ++times_;
    const Nanos high = draw_time(random_, milliseconds(2), milliseconds(400)).count();
    network.set_delay(random_() % 2 == 0 ? kUsualDelayLow : high / 2, high);
    network.set_reset_chance(static_cast<double>(random_() % 8) / 100);
    return draw_time(random_, milliseconds(300), seconds(3));
  }

  Status heal() override {
    Network::current()->set_delay(kUsualDelayLow, kUsualDelayHigh);
    Network::current()->set_reset_chance(0);
    return {};
  }

  std::string done() const override { return "bad links " + std::to_string(times_); }

 private:
  Random random_;
  bool bad_ = false;
  std::size_t times_ = 0;
};

class Clock final : public storm::Nemesis {
 public:
  Clock(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    constexpr Nanos kJumps[] = {20 * kMilli, kSecond, 10 * kSecond, 60 * kSecond, 3600 * kSecond};
    const Nanos jump = kJumps[random_() % std::size(kJumps)];
    const auto& member = nodes_.members()[random_() % nodes_.members().size()];
    Scheduler::current()->set_wall_offset(member->name, random_() % 2 == 0 ? jump : -jump);
    ++jumps_;
    return draw_time(random_, milliseconds(100), seconds(4));
  }

  Status heal() override {
    for (const auto& member : nodes_.members()) {
      Scheduler::current()->set_wall_offset(member->name, 0);
    }
    return {};
  }

  std::string done() const override { return "clock jumps " + std::to_string(jumps_); }

 private:
  Nodes& nodes_;
  Random random_;
  std::size_t jumps_ = 0;
};

class Slow final : public storm::Nemesis {
 public:
  explicit Slow(Random random) : random_(random) {}

  Result<Duration> step() override {
    if (std::exchange(slow_, !slow_)) {
      static_cast<void>(heal());
      return draw_time(random_, milliseconds(200), seconds(2));
    }
    ++times_;
    const Nanos high = draw_time(random_, milliseconds(10), milliseconds(700)).count();
    Disk::current()->set_sync_time(high / 4, high);
    return draw_time(random_, milliseconds(300), seconds(5));
  }

  Status heal() override {
    Disk::current()->set_sync_time(kUsualSyncLow, kUsualSyncHigh);
    return {};
  }

  std::string done() const override { return "slow disks " + std::to_string(times_); }

 private:
  Random random_;
  bool slow_ = false;
  std::size_t times_ = 0;
};

/// A disk of a target that refuses to be changed, until it has been replaced or has room again and
/// an administrator says so.
class BadDisk final : public storm::Nemesis {
 public:
  BadDisk(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (target_.empty()) {
      hurt();
      return random_() % 2 == 0 ? draw_time(random_, milliseconds(50), seconds(2))
                                : draw_time(random_, seconds(2), seconds(15));
    }
    Disk::current()->set_errors(disk_, 0, 0);
    if (!enable(target_)) return Duration(seconds(1));
    target_.clear();
    return draw_time(random_, milliseconds(200), seconds(4));
  }

  Status heal() override {
    if (!target_.empty()) Disk::current()->set_errors(disk_, 0, 0);
    return {};
  }
  Status repair() override {
    // A target may notice later, by what it has tried to write meanwhile.
    int looks_in_order = 0;
    for (int i = 0; i < kAttempts; ++i) {
      looks_in_order = all_enabled() ? looks_in_order + 1 : 0;
      if (looks_in_order == kLooksInOrder) return {};
      std::this_thread::sleep_for(milliseconds(500));
    }
    return Error(Errc::timed_out, "not all disks are enabled again");
  }

  std::string done() const override { return "bad disks " + std::to_string(times_); }

 private:
  static constexpr int kAttempts = 60, kLooksInOrder = 8;

  void hurt() {
    const Member* const member = nodes_.pick(random_, Nodes::is_target);
    if (member == nullptr) return;
    target_ = member->id;
    const std::size_t which = draw(random_, 1, nodes_.shape().mountpaths);
    disk_ = folder_of(*member) + "/mp" + std::to_string(which);
    constexpr int kErrors[] = {EIO, EIO, ENOSPC, EROFS};
    constexpr std::uint64_t kOneIn[] = {1, 1, 3, 40};
    const int error = kErrors[random_() % std::size(kErrors)];
    Disk::current()->set_errors(disk_, error, kOneIn[random_() % std::size(kOneIn)]);
    ++times_;
  }

  /// False: to be tried again.
  bool enable(const std::string& target) {
    tests::User user(nodes_.endpoints(), nodes_.admin());
    if (!user.why_not().empty()) return false;
    const auto soon = [] { return tests::User::within(seconds(5)); };
    const auto storage = user.run(user.api().storage(soon(), target));
    if (!storage) return storage.error() == Errc::not_found;  // it has left
    bool active = true;
    for (const MountpathInfo& mountpath : storage->mountpaths) {
      if (mountpath.state == "active") continue;
      MountpathChange change{.action = MountpathAction::kEnable, .path = mountpath.path};
      active &= user.run(user.api().change_mountpath(soon(), target, std::move(change))).ok();
    }
    return active;
  }

  bool all_enabled() {
    return std::ranges::all_of(nodes_.members(), [this](const auto& member) {
      return member->gateway || enable(member->id);
    });
  }

  Nodes& nodes_;
  Random random_;
  std::string target_, disk_;  // whose disk it is, and which
  std::size_t times_ = 0;
};

/// Of those that expect everybody who starts to join: who could not, because of other troubles,
/// starts at the end.
class Tolerant final : public storm::Nemesis {
 public:
  Tolerant(Nodes& nodes, std::unique_ptr<storm::Nemesis> of) : nodes_(nodes), of_(std::move(of)) {}

  Result<Duration> step() override {
    Result<Duration> pause = of_->step();
    if (!pause && !may_join()) return Duration(seconds(1));
    return pause;
  }

  Status heal() override {
    CHECK_OK(of_->heal());
    for (const auto& member : nodes_.members()) {
      if (!member->up && !member->claimed) CHECK_OK(nodes_.restart(*member));
    }
    return {};
  }

  std::string done() const override { return of_->done(); }

 private:
  Nodes& nodes_;
  std::unique_ptr<storm::Nemesis> of_;
};

using Make = std::unique_ptr<storm::Nemesis> (*)(Nodes& nodes, Random random);

template <class T>
std::unique_ptr<storm::Nemesis> make(Nodes& nodes, Random random) {
  if constexpr (std::is_constructible_v<T, Nodes&, Random>) {
    return std::make_unique<T>(nodes, random);
  } else {
    return std::make_unique<T>(random);
  }
}

const std::map<std::string, Make, std::less<>>& own_troubles() {
  static const std::map<std::string, Make, std::less<>> all = {
      {"crash", make<Crash>}, {"partition", make<Partition>}, {"link", make<Link>},
      {"clock", make<Clock>}, {"disk", make<BadDisk>},        {"slow", make<Slow>}};
  return all;
}

}  // namespace

bool is_trouble(std::string_view name) {
  return own_troubles().contains(name) || storm::is_nemesis(name);
}

std::unique_ptr<storm::Nemesis> make_trouble(std::string_view name,
                                             Nodes& nodes,
                                             std::uint64_t seed) {
  const auto own = own_troubles().find(name);
  if (own != own_troubles().end()) return own->second(nodes, Random(seed));
  auto trouble = storm::make_nemesis(name, nodes, seed);
  if (name == "pause" || name == "none") return trouble;
  return std::make_unique<Tolerant>(nodes, std::move(trouble));
}

std::vector<std::string> draw_troubles(std::uint64_t seed, std::uint32_t copies) {
  Random random(seed);
  // One that takes nodes away at the most: who waits for one to start does not expect another.
  std::vector<std::string> first{"crash", "crash", "crash", "members", "members", "away", "none"};
  if (copies > 1) first.push_back("lose");
  const std::vector<std::string> others{"partition", "partition", "link", "clock", "slow", "pause"};
  std::vector<std::string> drawn{first[random() % first.size()]};
  for (std::size_t i = draw(random, 0, 2); i > 0; --i) {
    const std::string& other = others[random() % others.size()];
    if (std::ranges::find(drawn, other) == drawn.end()) drawn.push_back(other);
  }
  return drawn;
}

}  // namespace aisfs::tests::sim
