// SPDX-License-Identifier: MIT
#include "common/async/background.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace aisfs {
namespace {

constexpr int kNicer = 4;  // than who started the process is
constexpr std::uint64_t kPromptTurnNs = 100'000;

/// As sched_setattr(2) has it: glibc 2.36 does not, and Linux's own header does not go with it.
struct SchedAttr {
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime, deadline, period;
};

thread_local bool t_background = false;

}  // namespace

bool is_background_thread() { return t_background; }

void become_background_thread() {
  if (t_background) return;
  t_background = true;
  const auto self =
      static_cast<id_t>(::syscall(SYS_gettid));  // to Linux a thread is a process here
  (void)::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + kNicer);
}

void become_prompt_thread() {
  SchedAttr wish{};
  if (::syscall(SYS_sched_getattr, 0, &wish, sizeof(wish), 0) != 0) return;
  if (wish.policy != SCHED_OTHER) return;  // whoever started us knows better
  wish.runtime = kPromptTurnNs;
  wish.size = sizeof(wish);
  (void)::syscall(SYS_sched_setattr, 0, &wish, 0);
}

}  // namespace aisfs
