// SPDX-License-Identifier: MIT
#include "tests/sim/os/disk.h"

#include <errno.h>

namespace aisfs::tests::sim {

Volume& Disk::add_volume(const std::string& path, std::uint64_t seed) {
  auto& volume = volumes_[path];
  if (!volume) volume = std::make_unique<Volume>(path, seed);
  return *volume;
}

Volume* Disk::volume_at(const std::string& path) {
  for (const auto& [root, volume] : volumes_) {
    const bool below = path.size() > root.size() && path[root.size()] == '/';
    if (path.starts_with(root) && (below || path.size() == root.size())) return volume.get();
  }
  return nullptr;
}

std::vector<Volume*> Disk::volumes_below(const std::string& path) {
  std::vector<Volume*> all;
  for (const auto& [root, volume] : volumes_) {
    if (root.starts_with(path + "/")) all.push_back(volume.get());
  }
  return all;
}

int Disk::step(const std::string& path) {
  ++steps_;
  Process& process = *Scheduler::self()->process;
  if (process.steps_to_live > 0 && --process.steps_to_live == 0) scheduler_.kill(process);
  if (scheduler_.chance(0.1)) scheduler_.maybe_yield();
  for (const auto& [below, errors] : errors_) {
    // The simulation's own calls, to prepare a start, are made by nobody's machine.
    const bool of_node = path.find("/" + process.machine + "/") != path.npos;
    const bool there = of_node && path.starts_with(below) && errors.one_in > 0;
    if (there && scheduler_.random() % errors.one_in == 0) return errors.error;
  }
  return 0;
}

void Disk::wait_for_sync() {
  const auto low = static_cast<std::uint64_t>(sync_low_),
             high = static_cast<std::uint64_t>(sync_high_);
  scheduler_.sleep_until(scheduler_.now() + static_cast<Nanos>(scheduler_.draw(low, high)));
}

void Disk::opened_to_write(int fd, Volume& volume, ino_t ino) {
  volume.opened_to_write(ino, fd);
  writing_[fd] = {&volume, ino, Scheduler::self()->process};
}

void Disk::closed(int fd) {
  const auto found = writing_.find(fd);
  if (found == writing_.end()) return;
  found->second.volume->closed_writer(found->second.ino);
  writing_.erase(found);
}

void Disk::process_died(const Process& process) {
  for (auto at = writing_.begin(); at != writing_.end();) {
    if (at->second.process != &process) {
      ++at;
      continue;
    }
    at->second.volume->closed_writer(at->second.ino);
    at = writing_.erase(at);
  }
}

void Disk::set_errors(std::string path, int error, std::uint64_t one_in) {
  if (error == 0) {
    errors_.erase(path);
  } else {
    errors_[std::move(path)] = {error, one_in};
  }
}

ino_t Disk::number_of(ino_t ino) {
  return numbers_.try_emplace(ino, numbers_.size() + 1000).first->second;
}

}  // namespace aisfs::tests::sim
