// SPDX-License-Identifier: MIT
#include "aisfs/cli/progress.h"

#include <algorithm>

#include "aisfs/cli/units.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr std::size_t kBarWidth = 24;

std::string bar(std::uint64_t done, std::uint64_t total) {
  const auto filled =
      static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) * kBarWidth);
  std::string cells(kBarWidth, ' ');
  std::fill_n(cells.begin(), std::min(filled, kBarWidth), '=');
  if (filled < kBarWidth) cells[filled] = '>';
  return "[" + cells + "]";
}

std::string eta(const ProgressState& s) {
  if (s.bytes_per_second == 0) return "ETA -:--";
  return "ETA " +
         clock_of(std::chrono::seconds((s.bytes_total - s.bytes_done) / s.bytes_per_second));
}

}  // namespace

std::string progress_line(const ProgressState& state, std::size_t width) {
  std::string line;
  if (state.bytes_total != 0) {
    // A file that grows while it is read must not push the bar over its end.
    ProgressState s = state;
    s.bytes_done = std::min(s.bytes_done, s.bytes_total);
    const auto percent = static_cast<unsigned>(static_cast<double>(s.bytes_done) * 100 /
                                               static_cast<double>(s.bytes_total));
    line = bar(s.bytes_done, s.bytes_total) + " " + std::to_string(percent) + "%  " +
           human_size(s.bytes_done) + " of " + human_size(s.bytes_total) + "  " +
           std::to_string(s.files_done) + "/" + std::to_string(s.files_total) + "  " +
           human_size(s.bytes_per_second) + "/s  " + eta(s);
  } else {
    line = human_size(state.bytes_done) + "  " + std::to_string(state.files_done) + "/" +
           std::to_string(state.files_total) + "  " + human_size(state.bytes_per_second) + "/s";
  }
  return line.substr(0, width);
}

std::string names_bar(std::uint64_t done, std::uint64_t total) {
  done = std::min(done, total);
  return bar(done, total) + " " + std::to_string(done * 100 / total) + "%  " +
         std::to_string(done) + " of " + std::to_string(total) + " names";
}

std::string move_line(const MoveState& state, std::size_t width) {
  std::string line;
  if (state.names_total != 0) {
    line = names_bar(state.names_done, state.names_total) + "  ";
  }
  line += human_size(state.bytes_moved) + " moved  " + human_size(state.bytes_per_second) + "/s";
  if (state.names_total != 0) {
    const std::uint64_t left = state.names_total - std::min(state.names_done, state.names_total);
    line += "  ETA " + eta_text(left, state.names_per_second);
  }
  return line.substr(0, width);
}

std::string eta_text(std::uint64_t names, std::uint64_t names_per_second) {
  if (names_per_second == 0) return names == 0 ? "0:00" : "-:--";
  return clock_of(std::chrono::seconds(names / names_per_second));
}

void RateMeter::record(TimePoint now, std::uint64_t bytes) {
  if (samples_.size() > 1 &&
      now - samples_[samples_.size() - 2].at < std::chrono::milliseconds(100)) {
    samples_.back() = {now, bytes};
  } else {
    samples_.push_back({now, bytes});
  }
  while (samples_.size() > 2 && now - samples_.front().at > kWindow) samples_.pop_front();
}

bool RateMeter::is_known() const {
  return samples_.size() > 1 && samples_.back().at > samples_.front().at;
}

std::uint64_t RateMeter::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const std::chrono::duration<double> span = samples_.back().at - samples_.front().at;
  if (span.count() <= 0) return 0;
  const auto bytes = samples_.back().bytes - samples_.front().bytes;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) / span.count());
}

}  // namespace aisfs::cli
