// SPDX-License-Identifier: MIT
#include "tests/fault/points/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>

#include "tests/sim/os/real.h"

namespace aisfs::tests::points {
namespace {

using sim::raw_syscall;

/// What a call needs, and so how it can fail.
enum Needs : unsigned { kDisk = 1, kSpace = 2, kDescriptor = 4 };

Plan g_plan;
bool g_syncs = true;
std::atomic<bool> g_armed = false;
std::atomic<std::uint64_t> g_calls = 0;
std::atomic<const char*> g_hit = nullptr;

unsigned needed_for(int error) {
  switch (error) {
    case ENOSPC:
      return kSpace;
    case EMFILE:
      return kDescriptor;
    default:
      return kDisk;
  }
}

[[noreturn]] void die() {
  raw_syscall(SYS_kill, raw_syscall(SYS_getpid), SIGKILL);
  for (;;) raw_syscall(SYS_pause);
}

long at(const void* pointer) { return reinterpret_cast<long>(pointer); }

/// One call: makes it, unless something else is to happen. -errno on failure.
template <class Call>
long one(const char* name, unsigned needs, Call call) {
  if (!g_armed) return call();
  const bool fails = g_plan.fault == Fault::kError || g_plan.fault == Fault::kErrors;
  if (fails && (needs & needed_for(g_plan.error)) == 0) return call();
  const std::uint64_t number = ++g_calls;
  const bool now = number == g_plan.at || (number > g_plan.at && g_plan.fault == Fault::kErrors);
  if (!now || g_plan.fault == Fault::kNone) return call();
  const char* none = nullptr;
  g_hit.compare_exchange_strong(none, name);
  if (fails) return -g_plan.error;
  if (g_plan.fault == Fault::kPowerLoss) {
    std::uint32_t without_log = 2;  // FS_IOC_SHUTDOWN of XFS and ext4
    raw_syscall(SYS_ioctl, g_plan.file_system, _IOR('X', 125, std::uint32_t), at(&without_log));
  }
  if (g_plan.fault == Fault::kKillAfter) call();
  die();
}

long result_of(long r) {
  if (r >= 0) return r;
  errno = static_cast<int>(-r);
  return -1;
}

template <class Call>
int call_of(const char* name, unsigned needs, Call call) {
  return static_cast<int>(result_of(one(name, needs, call)));
}

/// Sockets, pipes and the like are not of a disk.
bool is_file(int fd) {
  struct stat st{};
  return raw_syscall(SYS_fstat, fd, at(&st)) == 0 && S_ISREG(st.st_mode);
}

long sync_by(long number, int fd) { return g_syncs ? raw_syscall(number, fd) : 0; }

unsigned needs_of_open(long flags) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return kDisk | kDescriptor | (makes ? unsigned{kSpace} : 0U);
}

mode_t mode_in(int flags, va_list& arguments) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

int open_at(int dir, const char* name, int flags, mode_t mode) {
  const auto call = [&] { return raw_syscall(SYS_openat, dir, at(name), flags, mode); };
  return call_of("open", needs_of_open(flags), call);
}

}  // namespace

void arm(const Plan& plan) {
  g_plan = plan;
  g_calls = 0;
  g_hit = nullptr;
  g_armed = true;
}

std::uint64_t disarm() {
  g_armed = false;
  return g_calls;
}

void set_syncs(bool real) { g_syncs = real; }

std::string_view hit() {
  const char* name = g_hit;
  return name == nullptr ? std::string_view() : name;
}

// --- in place of the C library's -----------------------------------------------------------------

AISFS_SIM_CALL(int, open, point_open, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, name, flags, mode);
}
AISFS_SIM_CALL(int, openat, point_openat, int dir, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(dir, name, flags, mode);
}
AISFS_SIM_CALL(long, syscall, point_syscall, long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long a[6];
  for (long& value : a) value = va_arg(arguments, long);
  va_end(arguments);
  const auto call = [&] { return raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  if (number != SYS_openat2) return result_of(call());
  const auto flags = static_cast<long>(reinterpret_cast<const open_how*>(a[2])->flags);
  return result_of(one("openat2", needs_of_open(flags), call));
}

AISFS_SIM_CALL(ssize_t, pread, point_pread, int fd, void* into, std::size_t size, off_t offset) {
  const auto call = [&] {
    return raw_syscall(SYS_pread64, fd, at(into), static_cast<long>(size), offset);
  };
  return result_of(one("pread", kDisk, call));
}
AISFS_SIM_CALL(
    ssize_t, pwrite, point_pwrite, int fd, const void* bytes, std::size_t size, off_t offset) {
  const auto call = [&] {
    return raw_syscall(SYS_pwrite64, fd, at(bytes), static_cast<long>(size), offset);
  };
  return result_of(one("pwrite", kDisk | kSpace, call));
}
AISFS_SIM_CALL(ssize_t, write, point_write, int fd, const void* bytes, std::size_t size) {
  const auto call = [&] { return raw_syscall(SYS_write, fd, at(bytes), static_cast<long>(size)); };
  return result_of(is_file(fd) ? one("write", kDisk | kSpace, call) : call());
}
AISFS_SIM_CALL(ssize_t, writev, point_writev, int fd, const iovec* pieces, int count) {
  const auto call = [&] { return raw_syscall(SYS_writev, fd, at(pieces), count); };
  return result_of(is_file(fd) ? one("writev", kDisk | kSpace, call) : call());
}
AISFS_SIM_CALL(ssize_t,
               copy_file_range,
               point_copy,
               int from,
               off_t* in,
               int to,
               off_t* out,
               std::size_t size,
               unsigned flags) {
  const auto call = [&] {
    return raw_syscall(SYS_copy_file_range, from, at(in), to, at(out), static_cast<long>(size),
                       flags);
  };
  return result_of(one("copy_file_range", kDisk | kSpace, call));
}
AISFS_SIM_CALL(int, ftruncate, point_ftruncate, int fd, off_t size) {
  return call_of("ftruncate", kDisk, [&] { return raw_syscall(SYS_ftruncate, fd, size); });
}
AISFS_SIM_CALL(int, fallocate, point_fallocate, int fd, int mode, off_t offset, off_t size) {
  const auto call = [&] { return raw_syscall(SYS_fallocate, fd, mode, offset, size); };
  return call_of("fallocate", kDisk | kSpace, call);
}

AISFS_SIM_CALL(int, fsync, point_fsync, int fd) {
  return call_of("fsync", kDisk | kSpace, [&] { return sync_by(SYS_fsync, fd); });
}
AISFS_SIM_CALL(int, fdatasync, point_fdatasync, int fd) {
  return call_of("fdatasync", kDisk | kSpace, [&] { return sync_by(SYS_fdatasync, fd); });
}
AISFS_SIM_CALL(int, syncfs, point_syncfs, int fd) {
  return call_of("syncfs", kDisk | kSpace, [&] { return sync_by(SYS_syncfs, fd); });
}

AISFS_SIM_CALL(
    int, renameat2, point_renameat2, int a, const char* from, int b, const char* to, unsigned f) {
  const auto call = [&] { return raw_syscall(SYS_renameat2, a, at(from), b, at(to), f); };
  return call_of("rename", kDisk | kSpace, call);
}
AISFS_SIM_CALL(int, renameat, point_renameat, int a, const char* from, int b, const char* to) {
  return point_renameat2(a, from, b, to, 0);
}
AISFS_SIM_CALL(int, linkat, point_linkat, int a, const char* from, int b, const char* to, int f) {
  const auto call = [&] { return raw_syscall(SYS_linkat, a, at(from), b, at(to), f); };
  return call_of("link", kDisk | kSpace, call);
}
AISFS_SIM_CALL(int, unlinkat, point_unlinkat, int dir, const char* name, int flags) {
  const auto call = [&] { return raw_syscall(SYS_unlinkat, dir, at(name), flags); };
  return call_of("unlink", kDisk, call);
}
AISFS_SIM_CALL(int, mkdirat, point_mkdirat, int dir, const char* name, mode_t mode) {
  const auto call = [&] { return raw_syscall(SYS_mkdirat, dir, at(name), mode); };
  return call_of("mkdir", kDisk | kSpace, call);
}

AISFS_SIM_CALL(int,
               fsetxattr,
               point_fsetxattr,
               int fd,
               const char* name,
               const void* value,
               std::size_t size,
               int flags) {
  const auto call = [&] {
    return raw_syscall(SYS_fsetxattr, fd, at(name), at(value), static_cast<long>(size), flags);
  };
  return call_of("setxattr", kDisk | kSpace, call);
}
AISFS_SIM_CALL(int, fremovexattr, point_fremovexattr, int fd, const char* name) {
  return call_of("removexattr", kDisk, [&] { return raw_syscall(SYS_fremovexattr, fd, at(name)); });
}
AISFS_SIM_CALL(
    ssize_t, fgetxattr, point_fgetxattr, int fd, const char* name, void* value, std::size_t size) {
  const auto call = [&] {
    return raw_syscall(SYS_fgetxattr, fd, at(name), at(value), static_cast<long>(size));
  };
  return result_of(one("getxattr", kDisk, call));
}

}  // namespace aisfs::tests::points
