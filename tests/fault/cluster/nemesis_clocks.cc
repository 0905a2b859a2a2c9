// SPDX-License-Identifier: MIT
// Wall clocks that are wrong.
#include "tests/fault/cluster/clock_file.h"
#include "tests/fault/cluster/nemesis.h"

namespace aisfs::tests::storm {
namespace {

using std::chrono::milliseconds;

constexpr auto kStrobe = milliseconds(100);

/// One node's at a time: it jumps by up to an hour, swings to and fro every 100 ms, or stands
/// still.
class Clock final : public Nemesis {
 public:
  Clock(Nodes& nodes, Random random) : nodes_(nodes), random_(random) {}

  Result<Duration> step() override {
    if (swings_ > 0) {
      --swings_;
      set(swings_ % 2 == 0 ? 0 : swing_, false);
      return Duration(kStrobe);
    }
    CHECK_OK(heal());
    Member* const member = nodes_.pick(random_, [](const Member&) { return true; });
    if (member == nullptr) return Duration(seconds(1));
    file_ = nodes_.clock_of(*member);
    constexpr Duration kJumps[] = {milliseconds(20), seconds(1), seconds(10), seconds(60),
                                   seconds(3600)};
    const Duration jump = kJumps[random_() % std::size(kJumps)];
    const Duration offset = random_() % 2 == 0 ? jump : -jump;
    switch (random_() % 4) {
      case 0:
        ++swinging_;
        swing_ = offset.count();
        swings_ = draw(random_, 20, 60);
        return Duration(kStrobe);
      case 1:
        ++frozen_;
        set(0, true);
        break;
      default:
        ++jumps_;
        set(offset.count(), false);
    }
    return draw_time(random_, milliseconds(300), seconds(8));
  }

  Status heal() override {
    if (file_ != nullptr) set(0, false);
    file_ = nullptr;
    swings_ = 0;
    return {};
  }

  std::string done() const override {
    return "clocks jumped " + std::to_string(jumps_) + ", swung " + std::to_string(swinging_) +
           ", stood still " + std::to_string(frozen_);
  }
  std::size_t deeds() const override { return jumps_ + swinging_ + frozen_; }

 private:
  void set(std::int64_t offset, bool frozen) {
    if (file_ == nullptr) return;
    file_->offset_ns = offset;
    file_->frozen_ns =
        frozen ? std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)
               : 0;
  }

  Nodes& nodes_;
  Random random_;
  ClockFile* file_ = nullptr;
  std::size_t swings_ = 0;  // that are left
  std::int64_t swing_ = 0;
  std::size_t jumps_ = 0, swinging_ = 0, frozen_ = 0;
};

}  // namespace

std::unique_ptr<Nemesis> make_clock(Nodes& nodes, std::uint64_t seed) {
  return std::make_unique<Clock>(nodes, Random(seed));
}

}  // namespace aisfs::tests::storm
