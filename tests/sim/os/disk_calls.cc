// SPDX-License-Identifier: MIT
// Files as the simulation has them: the calls are made, and those that change a file system are
// told to its Volume.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "tests/sim/os/disk.h"
#include "tests/sim/os/real.h"

using namespace aisfs::tests::sim;

namespace {

constexpr mode_t kMode = 0600;

int result_of(long r) {
  if (r >= 0) return static_cast<int>(r);
  errno = static_cast<int>(-r);
  return -1;
}

long at(const void* pointer) { return reinterpret_cast<long>(pointer); }

std::string path_of_fd(int fd) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long n = raw_syscall(SYS_readlink, at(link), at(path), sizeof path);
  return n <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(n));
}

std::string full_path(int dir, const char* name) {
  if (name[0] == '/') return name;
  std::string path = dir == AT_FDCWD ? std::string() : path_of_fd(dir);
  if (std::strcmp(name, ".") == 0 || name[0] == '\0') return path;
  return path + "/" + name;
}

/// A path on a simulated disk.
struct Place {
  Volume* volume = nullptr;
  std::string full, path;  // the latter from the volume's root on

  explicit operator bool() const { return volume != nullptr; }
};

Place place_at(std::string full) {
  Place place;
  if (Scheduler::self() == nullptr || Disk::current() == nullptr) return place;
  place.volume = Disk::current()->volume_at(full);
  if (place.volume == nullptr) return place;
  const std::size_t root = place.volume->root().size();
  place.path = full.size() > root ? full.substr(root + 1) : std::string();
  place.full = std::move(full);
  return place;
}
Place place_at(int dir, const char* name) {
  if (Scheduler::self() == nullptr || Disk::current() == nullptr) return {};
  return place_at(full_path(dir, name));
}
Place place_of(int fd) {
  if (Scheduler::self() == nullptr || Disk::current() == nullptr) return {};
  return place_at(path_of_fd(fd));
}

int step(const Place& place) { return Disk::current()->step(place.full); }

ino_t ino_of(int fd) {
  struct stat st{};
  raw_syscall(SYS_fstat, fd, at(&st));
  return st.st_ino;
}
ino_t ino_at(const std::string& path) {
  struct stat st{};
  return raw_syscall(SYS_lstat, at(path.c_str()), at(&st)) == 0 ? st.st_ino : 0;
}

bool writes(long flags) { return (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0; }

/// An open that may make a file.
template <class Open>
long open_file(const Place& place, long flags, Open open) {
  if (!place || !writes(flags)) return open();
  const bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
  const bool was_there = !nameless && ino_at(place.full) != 0;
  if (const int refused = step(place); refused != 0) return -refused;
  const long fd = open();
  if (fd < 0) return fd;
  const ino_t ino = ino_of(static_cast<int>(fd));
  if (!was_there) place.volume->made_file(nameless ? "" : place.path, ino);
  Disk::current()->opened_to_write(static_cast<int>(fd), *place.volume, ino);
  return fd;
}

int open_at(int dir, const char* name, int flags, mode_t mode) {
  const auto open = [&] { return raw_syscall(SYS_openat, dir, at(name), flags, mode); };
  if (!writes(flags)) return result_of(open());
  return result_of(open_file(place_at(dir, name), flags, open));
}

mode_t mode_in(int flags, va_list& arguments) {
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? static_cast<mode_t>(va_arg(arguments, int)) : kMode;
}

}  // namespace

long sim_openat2(int dir, const char* name, long how, long size) {
  const auto& asked = *reinterpret_cast<const open_how*>(how);
  const auto open = [&] { return raw_syscall(SYS_openat2, dir, at(name), how, size); };
  const long flags = static_cast<long>(asked.flags);
  if (!writes(flags)) return open();
  return open_file(place_at(dir, name), flags, open);
}

AISFS_SIM_CALL(int, open, sim_open, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, name, flags, mode);
}
AISFS_SIM_CALL(int, open64, sim_open64, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(AT_FDCWD, name, flags, mode);
}
AISFS_SIM_CALL(int, openat, sim_openat, int dir, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return open_at(dir, name, flags, mode);
}

/// A machine has booted once more after each loss of power.
AISFS_SIM_CALL(FILE*, fopen64, sim_fopen64, const char* name, const char* mode) {
  static const auto real = real_call<FILE* (*)(const char*, const char*)>("fopen64");
  Thread* const self = Scheduler::self();
  if (self != nullptr && std::strcmp(name, "/proc/sys/kernel/random/boot_id") == 0) {
    return real(boot_id_file(self->process->machine).c_str(), mode);
  }
  return real(name, mode);
}
AISFS_SIM_CALL(FILE*, fopen, sim_fopen, const char* name, const char* mode) {
  return sim_fopen64(name, mode);
}

// --- names --------------------------------------------------------------------------------------

namespace {

int rename_at(int a, const char* from, int b, const char* to, unsigned flags) {
  const Place source = place_at(a, from), target = place_at(b, to);
  if (source) {
    if (const int refused = step(source); refused != 0) return result_of(-refused);
  }
  const long r = raw_syscall(SYS_renameat2, a, at(from), b, at(to), flags);
  if (r == 0 && source && source.volume == target.volume) {
    source.volume->renamed(source.path, target.path, (flags & RENAME_EXCHANGE) != 0);
  }
  return result_of(r);
}

int link_at(int a, const char* from, int b, const char* to, int flags) {
  const Place target = place_at(b, to);
  if (target) {
    if (const int refused = step(target); refused != 0) return result_of(-refused);
  }
  const long r = raw_syscall(SYS_linkat, a, at(from), b, at(to), flags);
  if (r == 0 && target) target.volume->linked(target.path, ino_at(target.full));
  return result_of(r);
}

int unlink_at(int dir, const char* name, int flags) {
  const Place place = place_at(dir, name);
  if (place) {
    if (const int refused = step(place); refused != 0) return result_of(-refused);
  }
  const long r = raw_syscall(SYS_unlinkat, dir, at(name), flags);
  if (r == 0 && place) place.volume->unlinked(place.path);
  return result_of(r);
}

int mkdir_at(int dir, const char* name, mode_t mode) {
  const Place place = place_at(dir, name);
  if (place) {
    if (const int refused = step(place); refused != 0) return result_of(-refused);
  }
  const long r = raw_syscall(SYS_mkdirat, dir, at(name), mode);
  if (r == 0 && place) place.volume->made_dir(place.path);
  return result_of(r);
}

}  // namespace

AISFS_SIM_CALL(
    int, renameat2, sim_renameat2, int a, const char* from, int b, const char* to, unsigned flags) {
  return rename_at(a, from, b, to, flags);
}
AISFS_SIM_CALL(int, renameat, sim_renameat, int a, const char* from, int b, const char* to) {
  return rename_at(a, from, b, to, 0);
}
AISFS_SIM_CALL(int, rename, sim_rename, const char* from, const char* to) {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
AISFS_SIM_CALL(int, linkat, sim_linkat, int a, const char* from, int b, const char* to, int flags) {
  return link_at(a, from, b, to, flags);
}
AISFS_SIM_CALL(int, link, sim_link, const char* from, const char* to) {
  return link_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
AISFS_SIM_CALL(int, unlinkat, sim_unlinkat, int dir, const char* name, int flags) {
  return unlink_at(dir, name, flags);
}
AISFS_SIM_CALL(int, unlink, sim_unlink, const char* name) { return unlink_at(AT_FDCWD, name, 0); }
AISFS_SIM_CALL(int, rmdir, sim_rmdir, const char* name) {
  return unlink_at(AT_FDCWD, name, AT_REMOVEDIR);
}
AISFS_SIM_CALL(int, remove, sim_remove, const char* name) {
  const int r = unlink_at(AT_FDCWD, name, 0);
  return r != 0 && errno == EISDIR ? sim_rmdir(name) : r;
}
AISFS_SIM_CALL(int, mkdirat, sim_mkdirat, int dir, const char* name, mode_t mode) {
  return mkdir_at(dir, name, mode);
}
AISFS_SIM_CALL(int, mkdir, sim_mkdir, const char* name, mode_t mode) {
  return mkdir_at(AT_FDCWD, name, mode);
}

// --- contents -----------------------------------------------------------------------------------

namespace {

template <class Write>
ssize_t write_to(int fd, Write write, const void* bytes, off_t offset) {
  const Place place = place_of(fd);
  if (!place) return result_of(write());
  if (const int refused = step(place); refused != 0) return result_of(-refused);
  const long n = write();
  const long flags = raw_syscall(SYS_fcntl, fd, F_GETFL);
  const auto from = static_cast<std::uint64_t>(offset);
  const bool known = bytes != nullptr && n > 0;
  if (known && (flags & O_DSYNC) != 0 && Disk::current()->lying() != Disk::Lying::kAll) {
    const std::string_view written(static_cast<const char*>(bytes), static_cast<std::size_t>(n));
    place.volume->wrote_through(ino_of(fd), written, from);
  } else if (n >= 0) {
    place.volume->wrote(ino_of(fd), from,
                        known ? std::optional(static_cast<std::uint64_t>(n)) : std::nullopt);
  }
  if (n >= 0) return n;
  errno = static_cast<int>(-n);
  return -1;
}

int sync_one(int fd, long call) {
  const Place place = place_of(fd);
  if (!place) return result_of(raw_syscall(call, fd));
  Disk& disk = *Disk::current();
  if (disk.lying() == Disk::Lying::kAll) return 0;
  struct stat st{};
  raw_syscall(SYS_fstat, fd, at(&st));
  const auto barrier = place.volume->begin_sync(fd, S_ISDIR(st.st_mode), place.path);
  disk.wait_for_sync();
  if (const int refused = step(place); refused != 0) return result_of(-refused);
  place.volume->end_sync(barrier);
  return 0;
}

}  // namespace

AISFS_SIM_CALL(
    ssize_t, pwrite, sim_pwrite, int fd, const void* bytes, std::size_t size, off_t offset) {
  const auto write = [&] {
    return raw_syscall(SYS_pwrite64, fd, at(bytes), static_cast<long>(size), offset);
  };
  return write_to(fd, write, bytes, offset);
}
AISFS_SIM_CALL(
    ssize_t, pwrite64, sim_pwrite64, int fd, const void* bytes, std::size_t size, off_t offset) {
  return sim_pwrite(fd, bytes, size, offset);
}
AISFS_SIM_CALL(int, ftruncate, sim_ftruncate, int fd, off_t size) {
  const auto write = [&] { return raw_syscall(SYS_ftruncate, fd, size); };
  return static_cast<int>(write_to(fd, write, nullptr, 0));
}
AISFS_SIM_CALL(ssize_t, write, sim_write, int fd, const void* bytes, std::size_t size) {
  const auto write = [&] { return raw_syscall(SYS_write, fd, at(bytes), static_cast<long>(size)); };
  return write_to(fd, write, nullptr, 0);
}
AISFS_SIM_CALL(ssize_t, writev, sim_writev, int fd, const iovec* pieces, int count) {
  const auto write = [&] { return raw_syscall(SYS_writev, fd, at(pieces), count); };
  return write_to(fd, write, nullptr, 0);
}

AISFS_SIM_CALL(int, fsync, sim_fsync, int fd) { return sync_one(fd, SYS_fsync); }
AISFS_SIM_CALL(int, fdatasync, sim_fdatasync, int fd) { return sync_one(fd, SYS_fdatasync); }
AISFS_SIM_CALL(int, syncfs, sim_syncfs, int fd) {
  const Place place = place_of(fd);
  if (!place) return result_of(raw_syscall(SYS_syncfs, fd));
  Disk& disk = *Disk::current();
  if (disk.lying() != Disk::Lying::kNone) return 0;
  const auto barrier = place.volume->begin_sync_all();
  disk.wait_for_sync();
  if (const int refused = step(place); refused != 0) return result_of(-refused);
  place.volume->end_sync(barrier);
  return 0;
}

AISFS_SIM_CALL(int,
               fsetxattr,
               sim_fsetxattr,
               int fd,
               const char* name,
               const void* value,
               std::size_t size,
               int flags) {
  const Place place = place_of(fd);
  if (place) {
    if (const int refused = step(place); refused != 0) return result_of(-refused);
  }
  const long r =
      raw_syscall(SYS_fsetxattr, fd, at(name), at(value), static_cast<long>(size), flags);
  if (r == 0 && place) {
    place.volume->set_xattr(ino_of(fd), name, std::string(static_cast<const char*>(value), size));
  }
  return result_of(r);
}
AISFS_SIM_CALL(int, fremovexattr, sim_fremovexattr, int fd, const char* name) {
  const Place place = place_of(fd);
  if (place) {
    if (const int refused = step(place); refused != 0) return result_of(-refused);
  }
  const long r = raw_syscall(SYS_fremovexattr, fd, at(name));
  if (r == 0 && place) place.volume->set_xattr(ino_of(fd), name, std::nullopt);
  return result_of(r);
}

// --- what differs from run to run ---------------------------------------------------------------

namespace {

int stat_result(long r, struct stat* out) {
  if (r == 0 && Disk::current() != nullptr && Scheduler::self() != nullptr) {
    out->st_ino = Disk::current()->number_of(out->st_ino);
    const timespec then{1'790'000'000, 0};
    out->st_atim = out->st_mtim = out->st_ctim = then;
  }
  return result_of(r);
}

}  // namespace

AISFS_SIM_CALL(int, fstat, sim_fstat, int fd, struct stat* out) {
  return stat_result(raw_syscall(SYS_fstat, fd, at(out)), out);
}
AISFS_SIM_CALL(int, stat, sim_stat, const char* name, struct stat* out) {
  return stat_result(raw_syscall(SYS_stat, at(name), at(out)), out);
}
AISFS_SIM_CALL(int, lstat, sim_lstat, const char* name, struct stat* out) {
  return stat_result(raw_syscall(SYS_lstat, at(name), at(out)), out);
}
AISFS_SIM_CALL(int, fstatat, sim_fstatat, int dir, const char* name, struct stat* out, int flags) {
  return stat_result(raw_syscall(SYS_newfstatat, dir, at(name), at(out), flags), out);
}

AISFS_SIM_CALL(int, fstatvfs, sim_fstatvfs, int fd, struct statvfs* out) {
  static const auto real = real_call<int (*)(int, struct statvfs*)>("fstatvfs");
  const int r = real(fd, out);
  if (r == 0 && place_of(fd)) {
    // So small that a mountpath's intent log is, too.
    out->f_bsize = out->f_frsize = 4096;
    out->f_blocks = 100'000;
    out->f_bfree = out->f_bavail = 20'000;
    out->f_files = out->f_ffree = out->f_favail = 100'000;
  }
  return r;
}

/// Those who have a lock and are dead do not run any more; but they have not closed it.
AISFS_SIM_CALL(int, flock, sim_flock, int fd, int operation) {
  if (place_of(fd)) return 0;
  return result_of(raw_syscall(SYS_flock, fd, operation));
}
