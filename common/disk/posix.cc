// SPDX-License-Identifier: MIT
#include "common/disk/posix.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

namespace aisfs::disk {
namespace {

/// The folder that `path` lies in, opened, and the last component: for the calls that have no
/// RESOLVE_BENEATH of their own.
struct Place {
  UniqueFd dir;
  int dir_fd = -1;
  std::string name;
};

Result<Place> place_of(int root, const std::string& path) {
  Place place;
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    place.dir_fd = root;
    place.name = path;
    return place;
  }
  TRY(place.dir, open_beneath(root, path.substr(0, slash), O_PATH | O_DIRECTORY));
  place.dir_fd = place.dir.get();
  place.name = path.substr(slash + 1);
  return place;
}

std::string text_of(std::string_view verb, const std::string& path) {
  return std::string(verb) + " " + path;
}
std::string text_of(std::string_view verb, const std::string& from, const std::string& to) {
  return std::string(verb) + " " + from + " -> " + to;
}

template <class F>
auto without_eintr(F call) {
  auto r = call();
  while (r < 0 && errno == EINTR) r = call();
  return r;
}

FileStat file_stat_of(const struct stat& st) {
  return {.size = static_cast<std::uint64_t>(st.st_size),
          .allocated = static_cast<std::uint64_t>(st.st_blocks) * 512,
          .ino = st.st_ino,
          .mode = st.st_mode,
          .nlink = static_cast<std::uint32_t>(st.st_nlink),
          .mtime_ns = st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec};
}

}  // namespace

Result<UniqueFd> open_root(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(text_of("open", path));
  return fd;
}

Result<UniqueFd> open_beneath(int root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const std::string name = path.empty() ? "." : path;
  const auto open = [&] {
    return static_cast<int>(::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how));
  };
  UniqueFd fd(without_eintr(open));
  if (!fd.valid()) return errno_error(text_of("open", name));
  return fd;
}

Result<UniqueFd> open_nameless(int root, const std::string& dir, mode_t mode) {
  auto fd = open_beneath(root, dir, O_TMPFILE | O_RDWR, mode);
  if (!fd && fd.error() == Errc::is_directory) {
    return Error(Errc::unsupported, "open " + dir + ": no nameless files here");
  }
  return fd;
}

Status link_nameless(int fd, int root, const std::string& path) {
  TRY(const Place to, place_of(root, path));
  const std::string from = "/proc/self/fd/" + std::to_string(fd);
  if (::linkat(AT_FDCWD, from.c_str(), to.dir_fd, to.name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return errno_error(text_of("link", path));
  }
  return {};
}

Status rename_beneath(int root, const std::string& from, const std::string& to, Replace replace) {
  TRY(const Place a, place_of(root, from));
  TRY(const Place b, place_of(root, to));
  const unsigned flags = replace == Replace::kNo ? RENAME_NOREPLACE : 0;
  if (::renameat2(a.dir_fd, a.name.c_str(), b.dir_fd, b.name.c_str(), flags) != 0) {
    return errno_error(text_of("rename", from, to));
  }
  return {};
}

Status exchange_beneath(int root, const std::string& a, const std::string& b) {
  TRY(const Place first, place_of(root, a));
  TRY(const Place second, place_of(root, b));
  if (::renameat2(first.dir_fd, first.name.c_str(), second.dir_fd, second.name.c_str(),
                  RENAME_EXCHANGE) == 0) {
    return {};
  }
  if (errno == EINVAL) return Error(Errc::unsupported, text_of("exchange", a, b));
  return errno_error(text_of("exchange", a, b));
}

Status link_beneath(int root, const std::string& from, const std::string& to) {
  TRY(const Place a, place_of(root, from));
  TRY(const Place b, place_of(root, to));
  if (::linkat(a.dir_fd, a.name.c_str(), b.dir_fd, b.name.c_str(), 0) != 0) {
    return errno_error(text_of("link", from, to));
  }
  return {};
}

Status unlink_beneath(int root, const std::string& path) {
  TRY(const Place at, place_of(root, path));
  if (::unlinkat(at.dir_fd, at.name.c_str(), 0) != 0) return errno_error(text_of("unlink", path));
  return {};
}

Status rmdir_beneath(int root, const std::string& path) {
  TRY(const Place at, place_of(root, path));
  if (::unlinkat(at.dir_fd, at.name.c_str(), AT_REMOVEDIR) != 0) {
    return errno_error(text_of("rmdir", path));
  }
  return {};
}

Status make_dirs(int root, const std::string& path, mode_t mode) {
  if (path.empty()) return {};
  // Most often it is there, or only the last one is missing.
  if (auto there = open_beneath(root, path, O_PATH | O_DIRECTORY); there.ok()) return {};
  CHECK_OK(make_dirs(root, parent_of(path), mode));
  TRY(const Place at, place_of(root, path));
  if (::mkdirat(at.dir_fd, at.name.c_str(), mode) == 0) return {};
  if (errno != EEXIST) return errno_error(text_of("mkdir", path));
  auto raced = open_beneath(root, path, O_PATH | O_DIRECTORY);
  if (!raced) return std::move(raced).error();
  return {};
}

Status make_parent_dirs(int root, const std::string& path) {
  return make_dirs(root, parent_of(path));
}

void prune_empty_parents(int root, const std::string& path, const std::string& stop) {
  for (std::string dir = parent_of(path); !dir.empty() && dir != stop; dir = parent_of(dir)) {
    if (!rmdir_beneath(root, dir)) return;
  }
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

Status pread_exactly(int fd, MutableBytes into, std::uint64_t offset) {
  TRY(const std::size_t n, pread_up_to(fd, into, offset));
  if (n != into.size()) return Error(Errc::corrupt, "read: the file ends early");
  return {};
}

Result<std::size_t> pread_up_to(int fd, MutableBytes into, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto read = [&] {
      return ::pread(fd, into.data() + done, into.size() - done,
                     static_cast<off_t>(offset + done));
    };
    const ssize_t n = without_eintr(read);
    if (n < 0) return errno_error("read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Status pwrite_all(int fd, ConstBytes bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto write = [&] {
      return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    };
    const ssize_t n = without_eintr(write);
    if (n < 0) return errno_error("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> read_file(int root, const std::string& path, std::size_t limit) {
  TRY(const UniqueFd fd, open_beneath(root, path, O_RDONLY));
  TRY(const FileStat stat, stat_of(fd.get()));
  if (stat.size > limit) return Error(Errc::too_large, "read " + path + ": larger than expected");
  std::string bytes(stat.size, '\0');
  const MutableBytes into(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
  TRY(const std::size_t n, pread_up_to(fd.get(), into, 0));
  bytes.resize(n);
  return bytes;
}

Status sync_file(int fd) {
  if (::fsync(fd) != 0) return errno_error("fsync");
  return {};
}
Status sync_data(int fd) {
  if (::fdatasync(fd) != 0) return errno_error("fdatasync");
  return {};
}
Status sync_file_system(int fd) {
  if (::syncfs(fd) != 0) return errno_error("syncfs");
  return {};
}
Status sync_dir(int root, const std::string& dir) {
  TRY(const UniqueFd fd, open_beneath(root, dir, O_RDONLY | O_DIRECTORY));
  return sync_file(fd.get());
}

Result<std::string> get_xattr(int fd, const char* name, std::size_t limit) {
  std::string value(limit, '\0');
  const ssize_t n = ::fgetxattr(fd, name, value.data(), value.size());
  if (n < 0) {
    if (errno == ENODATA) return Error(Errc::no_attribute, text_of("getxattr", name));
    if (errno == ERANGE) return Error(Errc::too_large, text_of("getxattr", name));
    return errno_error(text_of("getxattr", name));
  }
  value.resize(static_cast<std::size_t>(n));
  return value;
}

Status set_xattr(int fd, const char* name, std::string_view value) {
  if (::fsetxattr(fd, name, value.data(), value.size(), 0) == 0) return {};
  if (errno == ENOSPC || errno == E2BIG || errno == ERANGE) {
    return Error(Errc::too_large, std::string("setxattr ") + name + ": " +
                                      std::to_string(value.size()) +
                                      " bytes do not fit on this file system");
  }
  return errno_error(text_of("setxattr", name));
}

Status remove_xattr(int fd, const char* name) {
  if (::fremovexattr(fd, name) == 0) return {};
  if (errno == ENODATA) return Error(Errc::no_attribute, text_of("removexattr", name));
  return errno_error(text_of("removexattr", name));
}

Result<FileStat> stat_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("stat");
  return file_stat_of(st);
}

Result<FileStat> stat_beneath(int root, const std::string& path) {
  TRY(const Place at, place_of(root, path));
  struct stat st {};
  if (::fstatat(at.dir_fd, at.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error(text_of("stat", path));
  }
  return file_stat_of(st);
}

Result<Space> space_of(int fd) {
  struct statvfs st {};
  if (::fstatvfs(fd, &st) != 0) return errno_error("statvfs");
  return Space{.total_bytes = static_cast<std::uint64_t>(st.f_blocks) * st.f_frsize,
               .available_bytes = static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize,
               .files_total = st.f_files,
               .files_free = st.f_favail};
}

Status clone_file(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOTTY || errno == EXDEV) {
    return Error(Errc::unsupported, "clone: this file system shares no extents");
  }
  return errno_error("clone");
}

}  // namespace aisfs::disk
