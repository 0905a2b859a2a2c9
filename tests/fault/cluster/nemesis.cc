// SPDX-License-Identifier: MIT
// Nodes that die and hang, and come back as they were.
#include "tests/fault/cluster/nemesis.h"

#include <cmath>
#include <map>

namespace aisfs::tests::storm {
namespace {

using std::chrono::milliseconds;

class None final : public Nemesis {
 public:
  Result<Duration> step() override { return Duration(seconds(1)); }
  Status heal() override { return {}; }
  std::string done() const override { return {}; }
};

class Kill final : public Nemesis {
 public:
  Kill(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (!killed_.empty()) {
      CHECK_OK(heal());
      return draw_time(random_, seconds(1), seconds(4));
    }
    if (random_() % kAllOnceIn == 0) {
      ++kills_of_all_;
      CHECK_OK(nodes_.restart_all());
      return draw_time(random_, seconds(1), seconds(5));
    }
    for (std::size_t left = draw(random_, 1, nodes_.members().size() - 1); left > 0; --left) {
      Member* member = nodes_.pick(random_, [&](const Member& m) { return nodes_.may_go(m); });
      if (member == nullptr) break;
      member->claimed = true;
      nodes_.kill(*member);
      killed_.push_back(member);
      ++kills_;
    }
    return draw_time(random_, milliseconds(10), seconds(2));
  }

  Status heal() override {
    for (Member* member : killed_) {
      CHECK_OK(nodes_.restart(*member));
      member->claimed = false;
    }
    killed_.clear();
    return {};
  }

  std::string done() const override {
    return "kills " + std::to_string(kills_) + ", of all " + std::to_string(kills_of_all_);
  }
  std::size_t deeds() const override { return kills_ + kills_of_all_; }

 private:
  static constexpr std::uint64_t kAllOnceIn = 20;

  Nodes& nodes_;
  Random random_;
  std::vector<Member*> killed_;
  std::size_t kills_ = 0, kills_of_all_ = 0;
};

class Pause final : public Nemesis {
 public:
  Pause(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    CHECK_OK(heal());
    Member* member = nodes_.pick(random_, [](const Member&) { return true; });
    if (member == nullptr) return Duration(seconds(1));
    // As many short ones as long ones; nobody has a lease for long while the map is out of reach.
    const double longest = nodes_.may_go(*member) ? 15 : 4;
    const double share = static_cast<double>(random_() % 1000) / 1000;
    const auto time = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(0.1 * std::pow(longest / 0.1, share)));
    member->claimed = true;
    paused_ = member;
    ++pauses_;
    longest_ = std::max(longest_, time);
    nodes_.pause(*member, time);
    return time + draw_time(random_, milliseconds(200), seconds(2));
  }

  /// It goes on by itself.
  Status heal() override {
    if (paused_ != nullptr) paused_->claimed = false;
    paused_ = nullptr;
    return {};
  }

  std::string done() const override {
    return "pauses " + std::to_string(pauses_) + ", longest " +
           std::to_string(std::chrono::duration_cast<milliseconds>(longest_).count()) + " ms";
  }
  std::size_t deeds() const override { return pauses_; }

 private:
  Nodes& nodes_;
  Random random_;
  Member* paused_ = nullptr;
  std::size_t pauses_ = 0;
  Duration longest_{};
};

}  // namespace

std::unique_ptr<Nemesis> make_kill(Nodes& nodes, Random random) {
  return std::make_unique<Kill>(nodes, random);
}

std::unique_ptr<Nemesis> make_pause(Nodes& nodes, Random random) {
  return std::make_unique<Pause>(nodes, random);
}

namespace {

using Make = std::unique_ptr<Nemesis> (*)(Nodes& nodes, Random random);

const std::map<std::string, Make, std::less<>>& all_nemeses() {
  static const std::map<std::string, Make, std::less<>> all = {
      {"none", [](Nodes&, Random) -> std::unique_ptr<Nemesis> { return std::make_unique<None>(); }},
      {"kill", make_kill},
      {"pause", make_pause},
      {"members", make_members},
      {"away", make_away},
      {"lose", make_lose},
      {"old-copy", [](Nodes& n, Random r) { return make_old_data(n, r, OldData::kCopy); }},
      {"old-image", [](Nodes& n, Random r) { return make_old_data(n, r, OldData::kImage); }},
      {"old-disk", [](Nodes& n, Random r) { return make_old_data(n, r, OldData::kDisk); }},
  };
  return all;
}

}  // namespace

bool is_nemesis(std::string_view name) { return all_nemeses().contains(name); }

std::unique_ptr<Nemesis> make_nemesis(std::string_view name, Nodes& nodes, std::uint64_t seed) {
  return all_nemeses().find(name)->second(nodes, Random(seed));
}

const std::vector<std::string>& usual_nemeses() {
  static const std::vector<std::string> all = {"none",    "kill", "pause",
                                               "members", "away", "old-copy"};
  return all;
}

}  // namespace aisfs::tests::storm
