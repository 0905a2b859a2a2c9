// SPDX-License-Identifier: MIT
#include "node/target/slice_pipes.h"

#include <algorithm>

namespace aisfs::target {
namespace {

// A taker ends with an error of its own when nothing comes; this is for one that is left behind.
constexpr Duration kIdleMax = std::chrono::minutes(5);

}  // namespace

SlicePipes::SlicePipes(std::size_t slices) {
  for (std::size_t i = 0; i < slices; ++i) pipes_.emplace_back(*this);
}

Task<Result<ConstBytes>> SlicePipes::Pipe::lend() {
  while (rest_.empty()) {
    if (owner_.failed_) co_return *owner_.failed_;
    if (ended_ && at_end_) co_return ConstBytes();
    if (ended_) {
      rest_ = as_bytes(tail_);
      at_end_ = true;
      break;
    }
    const auto seen = owner_.changed_.count();
    co_await owner_.changed_.wait(seen, Deadline::after(kIdleMax));
  }
  if (owner_.failed_) co_return *owner_.failed_;
  co_return rest_;
}

void SlicePipes::Pipe::give_back(std::size_t taken) {
  rest_ = rest_.subspan(taken);
  if (rest_.empty() && owner_.all_taken()) owner_.changed_.notify();  // nobody else waits for it
}

bool SlicePipes::all_taken() const {
  return std::ranges::all_of(pipes_,
                             [](const Pipe& pipe) { return pipe.left_ || pipe.rest_.empty(); });
}

Task<Status> SlicePipes::taken(Deadline deadline) {
  while (!all_taken()) {
    if (deadline.expired()) co_return Error(Errc::timed_out, "a target takes no slices any more");
    const auto seen = changed_.count();
    if (all_taken()) break;
    co_await changed_.wait(seen, deadline);
  }
  co_return Status{};
}

void SlicePipes::push(const ec::Stripe& stripe) {
  for (std::size_t i = 0; i < pipes_.size(); ++i) pipes_[i].rest_ = stripe.blocks[i];
  changed_.notify();
}

void SlicePipes::finish(std::vector<std::string> tails) {
  for (std::size_t i = 0; i < pipes_.size(); ++i) {
    pipes_[i].tail_ = std::move(tails[i]);
    pipes_[i].ended_ = true;
  }
  changed_.notify();
}

void SlicePipes::fail(Error error) {
  failed_ = std::move(error);
  changed_.notify();
}

void SlicePipes::leave(std::size_t i) {
  pipes_[i].left_ = true;
  changed_.notify();
}

}  // namespace aisfs::target
