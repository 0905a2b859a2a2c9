// SPDX-License-Identifier: MIT
// Threads, locks, clocks and signals as the simulation has them. They are the C library's own
// symbols, so the product and every library under it call them without knowing; a thread that is
// not part of the simulation gets the real ones.
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>

#include "tests/sim/os/disk.h"
#include "tests/sim/os/real.h"
#include "tests/sim/os/scheduler.h"

using namespace aisfs::tests::sim;

namespace {

constexpr Nanos kNoDeadline = kForever / 4;  // what is farther away is never

Nanos nanos_of(const timespec& t) {
  return t.tv_sec >= kNoDeadline / kSecond ? kNoDeadline : t.tv_sec * kSecond + t.tv_nsec;
}

timespec timespec_of(Nanos nanos) { return {nanos / kSecond, nanos % kSecond}; }

Nanos now_of(clockid_t clock, Scheduler& s, const Thread& self) {
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
  if (clock == CLOCK_BOOTTIME) return s.boot(*self.process);
  return wall ? s.wall(*self.process) : s.now();
}

Nanos deadline_of(clockid_t clock, const timespec& at, Scheduler& s, const Thread& self) {
  const Nanos left = nanos_of(at) - now_of(clock, s, self);
  return nanos_of(at) == kNoDeadline ? kForever : s.now() + std::max<Nanos>(0, left);
}

// --- threads ------------------------------------------------------------------------------------

pthread_key_t g_end_key;
pthread_once_t g_end_once = PTHREAD_ONCE_INIT;
constexpr std::intptr_t kRounds = 3;  // of destructors: those of others come first

/// Runs after what C++ destroys with the thread.
void on_thread_end(void* left) {
  const auto rounds = reinterpret_cast<std::intptr_t>(left);
  if (rounds > 1) {
    pthread_setspecific(g_end_key, reinterpret_cast<void*>(rounds - 1));
    return;
  }
  Scheduler::current()->finish(*Scheduler::self());
}

void* run_thread(void* argument) {
  auto& thread = *static_cast<Thread*>(argument);
  Scheduler::current()->enter(thread);
  pthread_setspecific(g_end_key, reinterpret_cast<void*>(kRounds));
  return thread.body();
}

}  // namespace

AISFS_SIM_CALL(int,
               pthread_create,
               sim_pthread_create,
               pthread_t* id,
               const pthread_attr_t* attr,
               void* (*start)(void*),
               void* argument) {
  static const auto real =
      real_call<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>(
          "pthread_create");
  static const auto once = real_call<int (*)(pthread_once_t*, void (*)())>("pthread_once");
  Thread* const self = Scheduler::self();
  if (self == nullptr) return real(id, attr, start, argument);
  once(&g_end_once, [] { pthread_key_create(&g_end_key, on_thread_end); });
  Thread& thread = Scheduler::current()->add_thread(*self->process,
                                                    [start, argument] { return start(argument); });
  const int failed = real(id, attr, run_thread, &thread);
  thread.pthread = *id;
  return failed;
}

AISFS_SIM_CALL(int, pthread_join, sim_pthread_join, pthread_t id, void** result) {
  static const auto real = real_call<int (*)(pthread_t, void**)>("pthread_join");
  if (Scheduler::self() != nullptr) {
    Scheduler& s = *Scheduler::current();
    Thread* const thread = s.find_thread(id);
    while (thread != nullptr && !thread->finished) s.wait(thread, kForever);
  }
  return real(id, result);
}

AISFS_SIM_CALL(int, sched_yield, sim_sched_yield) {
  if (Scheduler::self() != nullptr) Scheduler::current()->yield();
  return 0;
}

// --- locks --------------------------------------------------------------------------------------

namespace {

using LockCall = int (*)(void*);

/// Tries until it has the lock; who holds it wakes those who wait.
int lock_by(LockCall try_lock, void* lock, Nanos deadline = kForever) {
  Scheduler& s = *Scheduler::current();
  for (;;) {
    const int r = try_lock(lock);
    if (r != EBUSY) {
      if (r == 0 || r == EOWNERDEAD) ++Scheduler::self()->locks_held;
      return r;
    }
    if (!s.wait(lock, deadline)) return ETIMEDOUT;
  }
}

int unlock_by(LockCall unlock, void* lock) {
  const int r = unlock(lock);
  if (r == 0 && Scheduler::self() != nullptr) {
    --Scheduler::self()->locks_held;
    Scheduler& s = *Scheduler::current();
    if (s.anybody_waits(lock)) s.wake_all(lock);
  }
  return r;
}

int real_try_mutex(void* m) {
  static const auto real = real_call<LockCall>("pthread_mutex_trylock");
  return real(m);
}
int real_unlock_mutex(void* m) {
  static const auto real = real_call<LockCall>("pthread_mutex_unlock");
  return real(m);
}

int counted(int r) {
  if (Scheduler::self() != nullptr && (r == 0 || r == EOWNERDEAD)) ++Scheduler::self()->locks_held;
  return r;
}

}  // namespace

AISFS_SIM_CALL(int, pthread_mutex_lock, sim_mutex_lock, pthread_mutex_t* m) {
  static const auto real = real_call<LockCall>("pthread_mutex_lock");
  if (Scheduler::self() == nullptr) return real(m);
  Scheduler::current()->maybe_yield();
  return lock_by(real_try_mutex, m);
}
AISFS_SIM_CALL(int, pthread_mutex_trylock, sim_mutex_trylock, pthread_mutex_t* m) {
  return counted(real_try_mutex(m));
}
AISFS_SIM_CALL(int, pthread_mutex_unlock, sim_mutex_unlock, pthread_mutex_t* m) {
  return unlock_by(real_unlock_mutex, m);
}
AISFS_SIM_CALL(int,
               pthread_mutex_clocklock,
               sim_mutex_clocklock,
               pthread_mutex_t* m,
               clockid_t clock,
               const timespec* at) {
  Thread* const self = Scheduler::self();
  if (self == nullptr) return real_try_mutex(m);
  return lock_by(real_try_mutex, m, deadline_of(clock, *at, *Scheduler::current(), *self));
}

AISFS_SIM_CALL(int, pthread_rwlock_rdlock, sim_rdlock, pthread_rwlock_t* l) {
  static const auto real = real_call<LockCall>("pthread_rwlock_rdlock");
  static const auto attempt = real_call<LockCall>("pthread_rwlock_tryrdlock");
  if (Scheduler::self() == nullptr) return real(l);
  Scheduler::current()->maybe_yield();
  return lock_by(attempt, l);
}
AISFS_SIM_CALL(int, pthread_rwlock_wrlock, sim_wrlock, pthread_rwlock_t* l) {
  static const auto real = real_call<LockCall>("pthread_rwlock_wrlock");
  static const auto attempt = real_call<LockCall>("pthread_rwlock_trywrlock");
  if (Scheduler::self() == nullptr) return real(l);
  Scheduler::current()->maybe_yield();
  return lock_by(attempt, l);
}
AISFS_SIM_CALL(int, pthread_rwlock_tryrdlock, sim_tryrdlock, pthread_rwlock_t* l) {
  static const auto real = real_call<LockCall>("pthread_rwlock_tryrdlock");
  return counted(real(l));
}
AISFS_SIM_CALL(int, pthread_rwlock_trywrlock, sim_trywrlock, pthread_rwlock_t* l) {
  static const auto real = real_call<LockCall>("pthread_rwlock_trywrlock");
  return counted(real(l));
}
AISFS_SIM_CALL(int, pthread_rwlock_unlock, sim_rwunlock, pthread_rwlock_t* l) {
  static const auto real = real_call<LockCall>("pthread_rwlock_unlock");
  return unlock_by(real, l);
}

namespace {

int wait_on(void* condition, pthread_mutex_t* m, Nanos deadline) {
  Scheduler& s = *Scheduler::current();
  unlock_by(real_unlock_mutex, m);
  const bool woken = s.wait(condition, deadline);
  const int r = lock_by(real_try_mutex, m);
  if (r != 0) return r;
  return woken ? 0 : ETIMEDOUT;
}

}  // namespace

// Nothing outside of the simulation waits on a condition.
AISFS_SIM_CALL(int, pthread_cond_wait, sim_cond_wait, pthread_cond_t* c, pthread_mutex_t* m) {
  return wait_on(c, m, kForever);
}
AISFS_SIM_CALL(int,
               pthread_cond_timedwait,
               sim_cond_timedwait,
               pthread_cond_t* c,
               pthread_mutex_t* m,
               const timespec* at) {
  return wait_on(c, m, deadline_of(CLOCK_REALTIME, *at, *Scheduler::current(), *Scheduler::self()));
}
AISFS_SIM_CALL(int,
               pthread_cond_clockwait,
               sim_cond_clockwait,
               pthread_cond_t* c,
               pthread_mutex_t* m,
               clockid_t clock,
               const timespec* at) {
  return wait_on(c, m, deadline_of(clock, *at, *Scheduler::current(), *Scheduler::self()));
}
AISFS_SIM_CALL(int, pthread_cond_signal, sim_cond_signal, pthread_cond_t* c) {
  if (Scheduler::self() != nullptr) Scheduler::current()->wake_one(c);
  return 0;
}
AISFS_SIM_CALL(int, pthread_cond_broadcast, sim_cond_broadcast, pthread_cond_t* c) {
  if (Scheduler::self() != nullptr) Scheduler::current()->wake_all(c);
  return 0;
}
AISFS_SIM_CALL(int, pthread_cond_init, sim_cond_init, pthread_cond_t*, const pthread_condattr_t*) {
  return 0;
}
AISFS_SIM_CALL(int, pthread_cond_destroy, sim_cond_destroy, pthread_cond_t*) { return 0; }

AISFS_SIM_CALL(int, pthread_once, sim_once, pthread_once_t* once, void (*run)()) {
  constexpr int kRunning = 1, kDone = 2;
  static const auto real = real_call<int (*)(pthread_once_t*, void (*)())>("pthread_once");
  if (Scheduler::self() == nullptr) return real(once, run);
  while (*once == kRunning) Scheduler::current()->wait(once, kForever);
  if (*once == kDone) return 0;
  *once = kRunning;
  run();
  *once = kDone;
  Scheduler::current()->wake_all(once);
  return 0;
}

namespace {

long futex(std::uint32_t* word, int operation, std::uint32_t value, const timespec* timeout) {
  Scheduler& s = *Scheduler::current();
  const int what = operation & FUTEX_CMD_MASK;
  if (what == FUTEX_WAKE || what == FUTEX_WAKE_BITSET) {
    s.wake_all(word);  // more than asked for is allowed: they look again
    return 1;
  }
  if (what != FUTEX_WAIT && what != FUTEX_WAIT_BITSET) return -ENOSYS;
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) return -EAGAIN;
  Nanos deadline = kForever;
  if (timeout != nullptr && what == FUTEX_WAIT) deadline = s.now() + nanos_of(*timeout);
  if (timeout != nullptr && what == FUTEX_WAIT_BITSET) {
    const bool wall = (operation & FUTEX_CLOCK_REALTIME) != 0;
    deadline =
        deadline_of(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, *timeout, s, *Scheduler::self());
  }
  return s.wait(word, deadline) ? 0 : -ETIMEDOUT;
}

}  // namespace

AISFS_SIM_CALL(long, syscall, sim_syscall, long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long a[6];
  for (long& argument : a) argument = va_arg(arguments, long);
  va_end(arguments);
  long r = 0;
  if (number == SYS_futex && Scheduler::self() != nullptr) {
    r = futex(reinterpret_cast<std::uint32_t*>(a[0]), static_cast<int>(a[1]),
              static_cast<std::uint32_t>(a[2]), reinterpret_cast<const timespec*>(a[3]));
  } else if (number == SYS_openat2 && Scheduler::self() != nullptr) {
    r = sim_openat2(static_cast<int>(a[0]), reinterpret_cast<const char*>(a[1]), a[2], a[3]);
  } else {
    r = raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  if (r >= 0 || r < -4095) return r;
  errno = static_cast<int>(-r);
  return -1;
}

// --- time ---------------------------------------------------------------------------------------

AISFS_SIM_CALL(int, clock_gettime, sim_clock_gettime, clockid_t clock, timespec* out) {
  Thread* const self = Scheduler::self();
  if (self == nullptr) {
    return static_cast<int>(raw_syscall(SYS_clock_gettime, clock, reinterpret_cast<long>(out)));
  }
  *out = timespec_of(now_of(clock, *Scheduler::current(), *self));
  return 0;
}
AISFS_SIM_CALL(int, gettimeofday, sim_gettimeofday, timeval* out, void*) {
  timespec now{};
  sim_clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}
AISFS_SIM_CALL(time_t, time, sim_time, time_t* out) {
  timespec now{};
  sim_clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
AISFS_SIM_CALL(int, nanosleep, sim_nanosleep, const timespec* time, timespec* left) {
  if (Scheduler::self() == nullptr) {
    return static_cast<int>(
        raw_syscall(SYS_nanosleep, reinterpret_cast<long>(time), reinterpret_cast<long>(left)));
  }
  Scheduler& s = *Scheduler::current();
  s.sleep_until(s.now() + nanos_of(*time));
  return 0;
}
AISFS_SIM_CALL(int,
               clock_nanosleep,
               sim_clock_nanosleep,
               clockid_t clock,
               int flags,
               const timespec* time,
               timespec* left) {
  Thread* const self = Scheduler::self();
  if (self == nullptr || (flags & TIMER_ABSTIME) == 0) return sim_nanosleep(time, left);
  Scheduler& s = *Scheduler::current();
  s.sleep_until(deadline_of(clock, *time, s, *self));
  return 0;
}

// --- signals ------------------------------------------------------------------------------------

namespace {

int send_signal(Process& process, int signal) {
  Scheduler& s = *Scheduler::current();
  if (process.dead) return 0;
  if (signal == SIGKILL) {
    s.kill(process);
  } else if (signal == SIGSTOP) {
    s.stop(process);
  } else if (signal == SIGCONT) {
    s.resume(process);
  } else if (signal != 0) {
    process.signals |= 1ull << signal;
    s.wake_all(&process.signals);
  }
  return 0;
}

}  // namespace

AISFS_SIM_CALL(int, kill, sim_kill, pid_t pid, int signal) {
  if (Thread* const self = Scheduler::self(); self != nullptr) {
    if (Process* const process = Scheduler::current()->find_process(pid)) {
      return send_signal(*process, signal);
    }
    if (pid == ::getpid()) return send_signal(*self->process, signal);
  }
  return static_cast<int>(raw_syscall(SYS_kill, pid, signal));
}

AISFS_SIM_CALL(int, sigwait, sim_sigwait, const sigset_t* set, int* got) {
  Process& process = *Scheduler::self()->process;
  for (;;) {
    for (int signal = 1; signal < 64; ++signal) {
      if ((process.signals >> signal & 1) == 0 || sigismember(set, signal) != 1) continue;
      process.signals &= ~(1ull << signal);
      *got = signal;
      return 0;
    }
    Scheduler::current()->wait(&process.signals, kForever);
  }
}

// --- chance -------------------------------------------------------------------------------------

namespace {

void fill(unsigned char* into, std::size_t count) {
  if (Scheduler::self() == nullptr) {
    raw_syscall(SYS_getrandom, reinterpret_cast<long>(into), static_cast<long>(count), 0);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    into[i] = static_cast<unsigned char>(Scheduler::current()->random() >> 24);
  }
}

}  // namespace

AISFS_SIM_CALL(int, RAND_bytes, sim_rand_bytes, unsigned char* into, int count) {
  fill(into, static_cast<std::size_t>(count));
  return 1;
}
/// std::random_device::operator().
AISFS_SIM_CALL(unsigned, _ZNSt13random_device9_M_getvalEv, sim_random_device, void*) {
  unsigned value = 0;
  fill(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return value;
}
