// SPDX-License-Identifier: MIT
#include "common/disk/idle_io.h"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace aisfs::disk {
namespace {

constexpr int kThisThread = 0;

int set_priority(int value) {
  return static_cast<int>(::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, kThisThread, value));
}

}  // namespace

IdleIo::IdleIo()
    : before_(static_cast<int>(::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, kThisThread))) {
  if (before_ < 0) return;
  if (set_priority(IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) != 0) before_ = -1;
}

IdleIo::~IdleIo() {
  if (before_ >= 0) (void)set_priority(before_);
}

}  // namespace aisfs::disk
