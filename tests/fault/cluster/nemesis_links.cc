// SPDX-License-Identifier: MIT
// Links between machines that carry nothing for a while.
#include <algorithm>

#include "tests/fault/cluster/nemesis.h"
#include "tests/fault/cluster/wires.h"

namespace aisfs::tests::storm {
namespace {

using std::chrono::milliseconds;

/// As they come: one machine alone, two halves, one direction only, a ring in which each reaches
/// its neighbours, a link that comes and goes every second, and machines that drop out one after
/// the other and come back in another order.
class Partition final : public Nemesis {
 public:
  Partition(Nodes& nodes, Wires& wires, Random random)
      : nodes_(nodes), wires_(wires), random_(random) {}

  Result<Duration> step() override {
    if (!next_.empty()) {  // of a kind that takes several steps
      const Step step = std::move(next_.back());
      next_.pop_back();
      CHECK_OK(wires_.set_cuts(step.cuts));
      return step.pause;
    }
    if (!wires_.cuts().empty()) {
      CHECK_OK(heal());
      return draw_time(random_, seconds(1), seconds(5));
    }
    plan(static_cast<Kind>(random_() % kKinds));
    return step();
  }

  Status heal() override {
    next_.clear();
    return wires_.set_cuts({});
  }

  std::string done() const override {
    std::string text = "partitions " + std::to_string(times_) + " (";
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      text +=
          (kind == 0 ? "" : ", ") + std::string(kNames[kind]) + " " + std::to_string(counts_[kind]);
    }
    return text + ")";
  }
  std::size_t deeds() const override { return times_; }

 private:
  enum Kind : std::uint8_t { kAlone, kHalves, kOneWay, kRing, kFlapping, kSwizzle };
  static constexpr std::size_t kKinds = 6;
  static constexpr const char* kNames[kKinds] = {"alone", "halves",   "one-way",
                                                 "ring",  "flapping", "swizzle"};
  struct Step {
    Wires::Cuts cuts;
    Duration pause;
  };

  static void cut_both(Wires::Cuts& cuts, const std::string& a, const std::string& b) {
    cuts.insert({a, b});
    cuts.insert({b, a});
  }

  /// The first of `next_` is done last.
  void plan(Kind kind) {
    ++times_, ++counts_[kind];
    std::vector<std::string> machines{Wires::kClients};
    for (const auto& member : nodes_.members()) machines.push_back(member->name);
    std::ranges::shuffle(machines, random_);
    const bool beyond_a_lease = random_() % 2 == 0;
    const Duration pause = beyond_a_lease ? draw_time(random_, seconds(11), seconds(18))
                                          : draw_time(random_, milliseconds(300), seconds(6));
    Wires::Cuts cuts;
    const std::size_t count = machines.size();
    for (std::size_t i = 1; i < count; ++i) {
      switch (kind) {
        case kAlone:
        case kFlapping:
          cut_both(cuts, machines[0], machines[i]);
          break;
        case kHalves:
          for (std::size_t j = 0; j < i; ++j) {
            if (j < count / 2 && i >= count / 2) cut_both(cuts, machines[i], machines[j]);
          }
          break;
        case kOneWay:
          if (random_() % 3 != 0) cuts.insert({machines[0], machines[i]});
          break;
        case kRing:
          for (std::size_t j = 0; j < i; ++j) {
            const bool neighbours = i - j == 1 || (j == 0 && i == count - 1);
            if (!neighbours) cut_both(cuts, machines[i], machines[j]);
          }
          break;
        case kSwizzle:
          break;
      }
    }
    if (kind == kFlapping) {
      for (std::size_t i = draw(random_, 3, 6); i > 0; --i) {
        next_.push_back({{}, seconds(1)});
        next_.push_back({cuts, seconds(1)});
      }
    } else if (kind == kSwizzle) {
      swizzle(machines);
    } else {
      next_.push_back({std::move(cuts), pause});
    }
  }

  void swizzle(const std::vector<std::string>& machines) {
    std::vector<std::string> out(
        machines.begin(),
        machines.begin() + static_cast<std::ptrdiff_t>(draw(random_, 2, machines.size() - 1)));
    const auto without = [&](const std::vector<std::string>& gone) {
      Wires::Cuts cuts;
      for (const std::string& one : gone) {
        for (const std::string& other : machines) {
          if (other != one) cut_both(cuts, one, other);
        }
      }
      return cuts;
    };
    std::vector<Step> steps;
    std::vector<std::string> gone;
    for (const std::string& one : out) {
      gone.push_back(one);
      steps.push_back({without(gone), draw_time(random_, milliseconds(200), seconds(2))});
    }
    std::ranges::shuffle(gone, random_);
    while (!gone.empty()) {
      gone.pop_back();
      steps.push_back({without(gone), draw_time(random_, milliseconds(200), seconds(2))});
    }
    next_.assign(steps.rbegin(), steps.rend());
  }

  Nodes& nodes_;
  Wires& wires_;
  Random random_;
  std::vector<Step> next_;
  std::size_t times_ = 0, counts_[kKinds] = {};
};

}  // namespace

std::unique_ptr<Nemesis> make_partition(Nodes& nodes, Wires& wires, std::uint64_t seed) {
  return std::make_unique<Partition>(nodes, wires, Random(seed));
}

}  // namespace aisfs::tests::storm
