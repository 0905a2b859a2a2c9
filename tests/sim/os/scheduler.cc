// SPDX-License-Identifier: MIT
#include "tests/sim/os/scheduler.h"

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/os/real.h"

namespace aisfs::tests::sim {
namespace {

constexpr Nanos kWallAtStart = 1'790'000'000 * kSecond;
constexpr std::uint64_t kEpollTag = 1ull << 63;  // events of epolls that threads wait for

Scheduler* g_scheduler = nullptr;
thread_local Thread* t_self = nullptr;

void wait_for_turn(Thread& thread) {
  while (thread.turn.load(std::memory_order_acquire) == 0) {
    raw_syscall(SYS_futex, reinterpret_cast<long>(&thread.turn), FUTEX_WAIT_PRIVATE, 0, 0);
  }
  thread.turn.store(0, std::memory_order_relaxed);
}

void give_turn_to(Thread& thread) {
  thread.turn.store(1, std::memory_order_release);
  raw_syscall(SYS_futex, reinterpret_cast<long>(&thread.turn), FUTEX_WAKE_PRIVATE, 1);
}

/// A thread that has ended frees memory until the kernel has forgotten it.
void wait_for_end_of(int kernel_id) {
  while (raw_syscall(SYS_tgkill, ::getpid(), kernel_id, 0) == 0) raw_syscall(SYS_sched_yield);
}

}  // namespace

Scheduler* Scheduler::current() { return g_scheduler; }
Thread* Scheduler::self() { return t_self; }

Scheduler& Scheduler::begin(std::uint64_t seed) {
  auto* scheduler = new Scheduler(seed);  // never destroyed: threads stand still in it at the end
  Process& client = scheduler->add_process("client");
  auto thread = std::make_unique<Thread>();
  thread->process = &client;
  thread->kernel_id = static_cast<int>(raw_syscall(SYS_gettid));
  t_self = thread.get();
  scheduler->threads_.push_back(std::move(thread));
  g_scheduler = scheduler;
  return *scheduler;
}

Scheduler::Scheduler(std::uint64_t seed)
    : random_(seed), events_fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

Nanos Scheduler::wall(const Process& process) const {
  const auto offset = wall_offsets_.find(process.machine);
  return kWallAtStart + now_ + (offset == wall_offsets_.end() ? 0 : offset->second);
}

Nanos Scheduler::boot(const Process& process) const {
  const bool stops = !boot_clocks_stop_.empty() && process.machine.starts_with(boot_clocks_stop_);
  if (!stops) return now_;
  return (cut_since_ > 0 ? cut_since_ : now_) - cut_for_ - process.stopped_for;
}

void Scheduler::links_cut(bool cut) {
  if (cut && cut_since_ == 0) cut_since_ = now_;
  if (!cut && cut_since_ > 0) cut_for_ += now_ - std::exchange(cut_since_, 0);
}

void Scheduler::stop(Process& process) {
  if (!process.stopped) process.stopped_since = now_;
  process.stopped = true;
}

void Scheduler::resume(Process& process) {
  if (process.stopped) process.stopped_for += now_ - process.stopped_since;
  process.stopped = false;
}

void Scheduler::set_wall_offset(const std::string& machine, Nanos offset) {
  if (offset == 0) wall_offsets_.erase(machine);
  if (offset != 0) wall_offsets_[machine] = offset;
}

Process& Scheduler::add_process(std::string machine) {
  auto process = std::make_unique<Process>();
  process->id = 100'000'000 + static_cast<int>(processes_.size());
  process->machine = std::move(machine);
  processes_.push_back(std::move(process));
  return *processes_.back();
}

Process* Scheduler::find_process(int id) {
  const auto found = std::ranges::find(processes_, id, [](const auto& p) { return p->id; });
  return found == processes_.end() ? nullptr : found->get();
}

Thread& Scheduler::add_thread(Process& process, std::function<void*()> body) {
  auto thread = std::make_unique<Thread>();
  thread->id = static_cast<int>(threads_.size());
  thread->process = &process;
  thread->body = std::move(body);
  ready_.push_back(thread.get());
  threads_.push_back(std::move(thread));
  return *threads_.back();
}

Thread* Scheduler::find_thread(unsigned long pthread) {
  // The newest first: numbers come again.
  for (auto at = threads_.rbegin(); at != threads_.rend(); ++at) {
    if ((*at)->pthread == pthread) return at->get();
  }
  return nullptr;
}

void Scheduler::note(std::uint64_t value) {
  trace_ = (trace_ ^ value) * 0x9E3779B97F4A7C15ull;
  trace_ ^= trace_ >> 29;
}

void Scheduler::block(Thread& me, Nanos deadline) {
  me.ready = false;
  me.timed_out = false;
  me.deadline = deadline;
  if (deadline != kForever) deadlines_.insert({deadline, me.id});
  give_turn_away(me);
}

void Scheduler::unblock(Thread& thread, bool timed_out) {
  if (thread.ready) return;
  if (thread.deadline != kForever) deadlines_.erase({thread.deadline, thread.id});
  thread.deadline = kForever;
  if (thread.waits_for != nullptr) {
    const auto all = waiting_.find(thread.waits_for);
    if (all != waiting_.end()) {
      std::erase(all->second, &thread);
      if (all->second.empty()) waiting_.erase(all);
    }
    thread.waits_for = nullptr;
  }
  if (thread.waits_for_epoll >= 0) epoll_waiters_.erase(std::exchange(thread.waits_for_epoll, -1));
  thread.timed_out = timed_out;
  thread.ready = true;
  ready_.push_back(&thread);
}

bool Scheduler::wait(const void* address, Nanos deadline) {
  Thread& me = *t_self;
  me.waits_for = address;
  waiting_[address].push_back(&me);
  block(me, deadline);
  return !me.timed_out;
}

void Scheduler::wait_epoll(int epoll, Nanos deadline) {
  Thread& me = *t_self;
  if (!watched_.contains(epoll))
    watch(epoll, kEpollTag | static_cast<std::uint64_t>(epoll), EPOLLIN | EPOLLET);
  me.waits_for_epoll = epoll;
  epoll_waiters_[epoll] = &me;
  block(me, deadline);
}

void Scheduler::wake_one(const void* address) {
  const auto all = waiting_.find(address);
  if (all == waiting_.end()) return;
  // Any of them: nothing promises that the first comes first.
  unblock(*all->second[random_() % all->second.size()], false);
}

void Scheduler::wake_all(const void* address) {
  for (auto all = waiting_.find(address); all != waiting_.end(); all = waiting_.find(address)) {
    unblock(*all->second.front(), false);
  }
}

void Scheduler::sleep_until(Nanos time) {
  if (time > now_) block(*t_self, time);
}

void Scheduler::yield() {
  ready_.push_back(t_self);
  give_turn_away(*t_self);
}

void Scheduler::maybe_yield() {
  constexpr std::uint64_t kOnceIn = 48;
  if (t_self->locks_held == 0 && random_() % kOnceIn == 0) yield();
}

void Scheduler::finish(Thread& thread) {
  thread.finished = true;
  thread.ready = false;
  wake_all(&thread);
  ending_ = static_cast<int>(raw_syscall(SYS_gettid));
  if (Thread* following = next()) give_turn_to(*following);
}

void Scheduler::finish_and_wait_forever() {
  t_self->ready = false;
  for (;;) give_turn_away(*t_self);
}

void Scheduler::at(Nanos time, std::function<void()> action) {
  actions_.emplace(time, std::move(action));
}

void Scheduler::watch(int fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  raw_syscall(SYS_epoll_ctl, events_fd_, EPOLL_CTL_ADD, fd, reinterpret_cast<long>(&event));
  watched_.insert(fd);
}

void Scheduler::unwatch(int fd) {
  if (watched_.erase(fd) > 0) raw_syscall(SYS_epoll_ctl, events_fd_, EPOLL_CTL_DEL, fd, 0);
}

void Scheduler::poll_events() {
  epoll_event events[64];
  const long count =
      raw_syscall(SYS_epoll_pwait, events_fd_, reinterpret_cast<long>(events), 64, 0, 0, 8);
  for (long i = 0; i < count; ++i) {
    const std::uint64_t tag = events[i].data.u64;
    if ((tag & kEpollTag) == 0) {
      on_event(tag);
      continue;
    }
    const auto waiter = epoll_waiters_.find(static_cast<int>(tag & ~kEpollTag));
    if (waiter != epoll_waiters_.end()) unblock(*waiter->second, false);
  }
}

void Scheduler::give_turn_away(Thread& me) {
  Thread* const following = next();
  if (following == &me) return;
  give_turn_to(*following);
  wait_for_turn(me);
  if (const int gone = std::exchange(ending_, 0); gone != 0) wait_for_end_of(gone);
}

/// Who goes on; time passes until somebody can.
Thread* Scheduler::next() {
  ++switches_;
  now_ += static_cast<Nanos>(200 + random_() % 3000);
  for (;;) {
    while (!actions_.empty() && actions_.begin()->first <= now_) {
      auto action = std::move(actions_.begin()->second);
      actions_.erase(actions_.begin());
      action();
    }
    while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
      unblock(*threads_[static_cast<std::size_t>(deadlines_.begin()->second)], true);
    }
    poll_events();
    std::erase_if(ready_, [](Thread* t) { return t->process->dead; });
    std::vector<std::size_t> may;
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      if (!ready_[i]->process->stopped) may.push_back(i);
    }
    if (!may.empty()) {
      const std::size_t at = may[random_() % may.size()];
      Thread* const chosen = ready_[at];
      ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(at));
      note(static_cast<std::uint64_t>(chosen->id) << 48 ^ static_cast<std::uint64_t>(now_));
      return chosen;
    }
    if (!advance()) stuck();
  }
}

bool Scheduler::advance() {
  Nanos to = kForever;
  if (!deadlines_.empty()) to = deadlines_.begin()->first;
  if (!actions_.empty()) to = std::min(to, actions_.begin()->first);
  if (to == kForever) return false;
  now_ = std::max(now_, to);
  return true;
}

void Scheduler::stuck() {
  std::fprintf(stderr, "sim: nobody can go on, and nothing is due\n");
  for (const auto& thread : threads_) {
    if (thread->finished || thread->process->dead) continue;
    std::fprintf(stderr, "  thread %d of %s waits for %p, epoll %d\n", thread->id,
                 thread->process->machine.c_str(), thread->waits_for, thread->waits_for_epoll);
  }
  std::abort();
}

void Scheduler::kill(Process& process) {
  if (process.dead) return;
  process.dead = true;
  for (const auto& thread : threads_) {
    if (thread->process != &process) continue;
    if (!thread->ready && !thread->finished) unblock(*thread, false);
  }
  std::erase_if(ready_, [&](Thread* t) { return t->process == &process; });
  if (on_death) on_death(process);
  wake_all(&process);
  if (t_self->process == &process) finish_and_wait_forever();
}

void Scheduler::exit(Process& process, int status) {
  process.exited = true;
  process.exit_status = status;
  process.dead = true;
  if (on_death) on_death(process);
  wake_all(&process);
}

void Scheduler::enter(Thread& thread) {
  t_self = &thread;
  thread.kernel_id = static_cast<int>(raw_syscall(SYS_gettid));
  wait_for_turn(thread);
  if (const int gone = std::exchange(ending_, 0); gone != 0) wait_for_end_of(gone);
}

}  // namespace aisfs::tests::sim
