// SPDX-License-Identifier: MIT
#pragma once

namespace aisfs::disk {

/// While it lives, what the calling thread reads waits for everybody else's disk requests, where
/// the disk's scheduler knows of priorities (bfq, mq-deadline). Made and ended on one thread.
class [[nodiscard]] IdleIo {
 public:
  IdleIo();
  ~IdleIo();
  IdleIo(const IdleIo&) = delete;
  IdleIo& operator=(const IdleIo&) = delete;

 private:
  int before_;  // the thread's priority; -1: not known, nothing was changed
};

}  // namespace aisfs::disk
