// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace aisfs::tests::sim {

using Nanos = std::int64_t;
inline constexpr Nanos kForever = INT64_MAX;
inline constexpr Nanos kMicro = 1000, kMilli = 1'000'000, kSecond = 1'000'000'000;

/// One program of the simulation: threads that were made by its first one. It can be stopped
/// between any two of their steps, for a while or for ever, as by SIGSTOP and SIGKILL.
struct Process {
  int id = 0;           // as ::kill has it
  std::string machine;  // what disks and links belong to
  bool stopped = false;
  Nanos stopped_since = 0, stopped_for = 0;
  bool dead = false;
  bool exited = false;
  int exit_status = 0;
  std::uint64_t signals = 0;        // delivered and not yet taken by sigwait
  std::uint64_t steps_to_live = 0;  // dies in so many more disk steps; 0: does not
  std::string log;                  // its last lines
};

/// A thread that runs when it is given the turn and at no other time.
struct Thread {
  int id = 0;
  Process* process = nullptr;
  std::atomic<int> turn = 0;
  bool ready = true;
  bool finished = false;
  bool timed_out = false;
  const void* waits_for = nullptr;  // an address, while not ready
  int waits_for_epoll = -1;
  Nanos deadline = kForever;
  int locks_held = 0;
  unsigned long pthread = 0;
  int kernel_id = 0;
  std::function<void*()> body;
};

/// Runs the threads of all processes one at a time in virtual time. Who is next, when it could be
/// any of several, and how long steps take follow from the seed; so a run is the same each time.
///
/// A thread gives the turn away in calls that wait, and now and then in others. When nobody can
/// run, time goes on to the next deadline; when there is none, the run has got stuck and ends.
/// Everything here is called by the thread that has the turn.
class Scheduler {
 public:
  /// Of this program; the calling thread becomes the first of process "client".
  static Scheduler& begin(std::uint64_t seed);
  /// Null before begin().
  static Scheduler* current();
  /// Null on threads that are not part of the simulation.
  static Thread* self();

  Nanos now() const { return now_; }
  /// The wall clock of a machine.
  Nanos wall(const Process& process) const;
  void set_wall_offset(const std::string& machine, Nanos offset);
  /// CLOCK_BOOTTIME of a process; see let_boot_clocks_stop().
  Nanos boot(const Process& process) const;
  /// On machines whose name begins so it stands still while the process does, or a link is cut.
  void let_boot_clocks_stop(std::string machines) { boot_clocks_stop_ = std::move(machines); }
  void links_cut(bool cut);
  bool clocks_differ() const { return !wall_offsets_.empty(); }

  std::uint64_t random() { return random_(); }
  std::uint64_t draw(std::uint64_t low, std::uint64_t high) {
    return low + random_() % (high - low + 1);
  }
  bool chance(double probability) {
    return static_cast<double>(random_() >> 11) < probability * 9007199254740992.0;
  }

  Process& add_process(std::string machine);
  Process* find_process(int id);
  Thread& add_thread(Process& process, std::function<void*()> body);
  Thread* find_thread(unsigned long pthread);
  /// The first thing that a new thread does: it becomes `thread`, and waits for its first turn.
  void enter(Thread& thread);

  /// Waits until wake() of the address or the deadline; false at the deadline.
  bool wait(const void* address, Nanos deadline);
  void wait_epoll(int epoll, Nanos deadline);
  void wake_one(const void* address);
  void wake_all(const void* address);
  bool anybody_waits(const void* address) const { return waiting_.contains(address); }
  void sleep_until(Nanos time);
  /// Others may come first.
  void yield();
  /// yield() now and then, but not while the thread has a lock.
  void maybe_yield();
  /// The calling thread has ended and never gets the turn again.
  [[noreturn]] void finish_and_wait_forever();
  void finish(Thread& thread);

  /// Calls `action`, which does not wait, at that time.
  void at(Nanos time, std::function<void()> action);

  /// A thread that waits in epoll_wait, or what poll_event() is for, is woken when `fd` is
  /// readable.
  void watch(int fd, std::uint64_t tag, std::uint32_t events);
  void unwatch(int fd);
  std::function<void(std::uint64_t tag)> on_event;

  void stop(Process& process);
  void resume(Process& process);
  /// Its threads never run again. If it is the caller's own process this does not return.
  void kill(Process& process);
  std::function<void(Process&)> on_death;
  void exit(Process& process, int status);

  /// What has happened so far, in one number.
  std::uint64_t trace() const { return trace_; }
  void note(std::uint64_t value);
  std::uint64_t switches() const { return switches_; }
  std::vector<std::unique_ptr<Process>>& processes() { return processes_; }

 private:
  explicit Scheduler(std::uint64_t seed);
  void give_turn_away(Thread& me);
  Thread* next();
  void block(Thread& me, Nanos deadline);
  void unblock(Thread& thread, bool timed_out);
  void poll_events();
  bool advance();
  [[noreturn]] void stuck();

  std::mt19937_64 random_;
  Nanos now_ = 1000 * kSecond;
  std::uint64_t trace_ = 0, switches_ = 0;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> ready_;
  std::set<std::pair<Nanos, int>> deadlines_;  // and the thread
  std::unordered_map<const void*, std::deque<Thread*>> waiting_;
  std::unordered_map<int, Thread*> epoll_waiters_;
  std::set<int> watched_;
  std::multimap<Nanos, std::function<void()>> actions_;
  std::map<std::string, Nanos> wall_offsets_;
  std::string boot_clocks_stop_;
  Nanos cut_since_ = 0, cut_for_ = 0;
  int events_fd_ = -1;
  int ending_ = 0;  // kernel id of a thread that has given the turn away for the last time
};

}  // namespace aisfs::tests::sim
