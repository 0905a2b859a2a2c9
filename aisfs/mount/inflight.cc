// SPDX-License-Identifier: MIT
#include "aisfs/mount/inflight.h"

#include "common/obs/log.h"

namespace aisfs::mount {
namespace {

constexpr auto kInterruptGrace = std::chrono::milliseconds(500);
constexpr auto kDeadlineGrace = std::chrono::seconds(1);  // the operation should have seen it itself

}  // namespace

std::shared_ptr<Running> Inflight::add(const char* operation, std::shared_ptr<Deadline> deadline) {
  auto running = std::make_shared<Running>();
  running->operation = operation;
  running->deadline = std::move(deadline);
  const std::lock_guard lock(mutex_);
  running->id = ++last_id_;
  running_[running->id] = running;
  return running;
}

void Inflight::remove(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
}

void Inflight::interrupt(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto it = running_.find(id);
  if (it == running_.end() || it->second->interrupted) return;
  it->second->interrupted = true;
  it->second->interrupted_at = std::chrono::steady_clock::now();
}

std::size_t Inflight::size() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

std::vector<std::shared_ptr<Running>> Inflight::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Running>> out;
  out.reserve(running_.size());
  for (const auto& [id, running] : running_) out.push_back(running);
  return out;
}

bool Inflight::wants_out(const Running& running) const {
  const std::lock_guard lock(mutex_);
  return running.interrupted &&
         std::chrono::steady_clock::now() - running.interrupted_at > kInterruptGrace;
}

void Inflight::cancel_late() {
  for (const auto& running : all()) {
    if (running->deadline->left() == Duration::zero() &&
        std::chrono::steady_clock::now() - running->deadline->at() > kDeadlineGrace) {
      if (!running->overdue) LOG_WARN("operation overdue", "operation", running->operation);
      running->overdue = true;
      running->signal.emit(asio::cancellation_type::all);
    } else if (wants_out(*running)) {
      running->signal.emit(asio::cancellation_type::all);
    }
  }
}

}  // namespace aisfs::mount
