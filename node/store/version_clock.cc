// SPDX-License-Identifier: MIT
#include "node/store/version_clock.h"

#include <algorithm>

namespace aisfs::store {

namespace {
constexpr std::uint64_t kForms = 16;  // a power of two
}

std::optional<Version> version_of_new_form(Version version, std::uint32_t incarnation) {
  if (version.hlc % kForms == kForms - 1) return std::nullopt;
  return Version{version.epoch, version.hlc + 1, incarnation};
}

VersionClock::VersionClock(Clock& clock, Epoch epoch, std::uint32_t incarnation, Persist persist)
    : clock_(clock), incarnation_(incarnation), persist_(std::move(persist)), epoch_(epoch) {}

std::uint64_t VersionClock::wall() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, clock_.unix_ns() / 1'000'000)) << 20;
}

Status VersionClock::start(std::uint64_t floor) {
  {
    std::lock_guard lock(mutex_);
    last_ = std::max(floor, wall());
    ceiling_ = last_;
  }
  return renew();
}

void VersionClock::see(std::uint64_t hlc) {
  std::lock_guard lock(mutex_);
  last_ = std::max(last_, hlc);
}

Result<Version> VersionClock::next() {
  while (true) {
    std::uint64_t wanted = 0;
    {
      std::lock_guard lock(mutex_);
      wanted = std::max((last_ | (kForms - 1)) + 1, wall());
      if (wanted < ceiling_) {
        last_ = wanted;
        return Version{epoch_.load(), wanted, incarnation_};
      }
    }
    CHECK_OK(raise(wanted));
  }
}

Status VersionClock::renew() {
  std::uint64_t now = 0;
  {
    std::lock_guard lock(mutex_);
    now = std::max(last_, wall());
    if (now + kStep / 2 < ceiling_) return {};
  }
  return raise(now);
}

Status VersionClock::raise(std::uint64_t above) {
  std::lock_guard one_at_a_time(raising_);
  const std::uint64_t ceiling = above + kStep;
  {
    std::lock_guard lock(mutex_);
    if (above + kStep / 2 < ceiling_) return {};  // another thread was faster
  }
  CHECK_OK(persist_(ceiling));
  std::lock_guard lock(mutex_);
  ceiling_ = std::max(ceiling_, ceiling);
  return {};
}

void VersionClock::set_epoch(Epoch epoch) {
  Epoch now = epoch_.load();
  while (now < epoch && !epoch_.compare_exchange_weak(now, epoch)) {
  }
}

std::uint64_t VersionClock::ceiling() const {
  std::lock_guard lock(mutex_);
  return ceiling_;
}

std::uint64_t VersionClock::last() const {
  std::lock_guard lock(mutex_);
  return last_;
}

Version VersionClock::last_version() const {
  std::lock_guard lock(mutex_);
  return {epoch_.load(), last_, incarnation_};
}

}  // namespace aisfs::store
