// SPDX-License-Identifier: MIT
// posix_table DIR [--no-links]: system calls and what they must answer, each case in a folder of
// its own below DIR. Runs on any file system (ext4 is the control). --no-links: link(2) says EPERM.
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace {

bool g_links = true;

/// 0 or the errno of a call that returns -1 on failure.
int err(long result) { return result < 0 ? errno : 0; }

int put(const char* path, const std::string& text = "x", int flags = O_CREAT | O_TRUNC) {
  const int fd = ::open(path, O_WRONLY | flags, 0644);
  if (fd < 0) return errno;
  const bool all = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return ::close(fd) == 0 && all ? 0 : EIO;
}
std::string get(const char* path) {
  const int fd = ::open(path, O_RDONLY);
  if (fd < 0) return "errno " + std::to_string(errno);
  std::string out(1 << 16, '\0');
  const ssize_t n = ::read(fd, out.data(), out.size());
  ::close(fd);
  out.resize(n < 0 ? 0 : n);
  return out;
}
struct stat lst(const char* path) {
  struct stat st = {};
  if (::lstat(path, &st) != 0) st.st_mode = 0;
  return st;
}
std::set<std::string> list(const char* path) {
  std::set<std::string> names;
  DIR* dir = ::opendir(path);
  if (dir == nullptr) return {"errno " + std::to_string(errno)};
  while (const dirent* entry = ::readdir(dir)) names.insert(entry->d_name);
  ::closedir(dir);
  return names;
}
std::string long_name(std::size_t n) { return std::string(n, 'n'); }

/// A case returns what is wrong, or nothing.
struct Case {
  const char* name;
  std::function<std::string()> run;
};

std::string want_errno(const char* call, int got, int expected) {
  if (got == expected) return {};
  return std::string(call) + ": got " + (got == 0 ? "success" : strerrorname_np(got)) +
         ", expected " + (expected == 0 ? "success" : strerrorname_np(expected));
}
#define WANT(call, expected) \
  if (auto wrong = want_errno(#call, (call), (expected)); !wrong.empty()) return wrong
#define THAT(condition) \
  if (!(condition)) return std::string("not so: " #condition)

const std::vector<Case> kCases = {
    {"open of a missing file", [] { WANT(err(::open("a", O_RDONLY)), ENOENT); return std::string(); }},
    {"O_EXCL on an existing file",
     [] { WANT(put("a"), 0); WANT(err(::open("a", O_CREAT | O_EXCL | O_WRONLY, 0644)), EEXIST); return std::string(); }},
    {"O_CREAT on a directory", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(put("d"), EISDIR); return std::string(); }},
    {"O_DIRECTORY on a file", [] { WANT(put("a"), 0); WANT(err(::open("a", O_RDONLY | O_DIRECTORY)), ENOTDIR); return std::string(); }},
    {"a file as a directory", [] { WANT(put("a"), 0); WANT(put("a/b"), ENOTDIR); return std::string(); }},
    {"O_NOFOLLOW on a symlink", [] { WANT(err(::symlink("x", "l")), 0); WANT(err(::open("l", O_RDONLY | O_NOFOLLOW)), ELOOP); return std::string(); }},
    {"O_TRUNC empties", [] { WANT(put("a", "long"), 0); WANT(put("a", "s"), 0); THAT(get("a") == "s"); return std::string(); }},
    {"O_APPEND appends", [] { WANT(put("a", "1"), 0); WANT(put("a", "2", O_APPEND), 0); THAT(get("a") == "12"); return std::string(); }},
    {"what is written is read back", [] { WANT(put("a", "bytes"), 0); THAT(get("a") == "bytes"); THAT(lst("a").st_size == 5); return std::string(); }},
    {"name of 255 bytes", [] { WANT(put(long_name(255).c_str()), 0); THAT(list(".").contains(long_name(255))); return std::string(); }},
    {"name of 256 bytes", [] { WANT(put(long_name(256).c_str()), ENAMETOOLONG); return std::string(); }},
    {"names of odd bytes",
     [] { for (const char* n : {" ", "a b", "\xff\xfe", "new\nline", "100%", "a+b", "?x=1&y", "'", "\"", "\\"}) { WANT(put(n, n), 0); THAT(get(n) == n); THAT(list(".").contains(n)); } return std::string(); }},
    {"mkdir twice", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::mkdir("d", 0755)), EEXIST); return std::string(); }},
    {"mkdir over a file", [] { WANT(put("d"), 0); WANT(err(::mkdir("d", 0755)), EEXIST); return std::string(); }},
    {"mkdir under nothing", [] { WANT(err(::mkdir("x/d", 0755)), ENOENT); return std::string(); }},
    {"mode of a new directory", [] { WANT(err(::mkdir("d", 0751)), 0); THAT((lst("d").st_mode & 07777) == 0751); THAT(S_ISDIR(lst("d").st_mode)); return std::string(); }},
    {"rmdir of a full directory", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(put("d/a"), 0); WANT(err(::rmdir("d")), ENOTEMPTY); return std::string(); }},
    {"rmdir of a file", [] { WANT(put("a"), 0); WANT(err(::rmdir("a")), ENOTDIR); return std::string(); }},
    {"rmdir of nothing", [] { WANT(err(::rmdir("a")), ENOENT); return std::string(); }},
    {"a directory stays when it gets empty", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(put("d/a"), 0); WANT(err(::unlink("d/a")), 0); THAT(list("d").size() == 2); WANT(err(::rmdir("d")), 0); return std::string(); }},
    {"unlink of a directory", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::unlink("d")), EISDIR); return std::string(); }},
    {"unlink of nothing", [] { WANT(err(::unlink("a")), ENOENT); return std::string(); }},
    {"unlinked but open",
     [] {
       const int fd = ::open("a", O_RDWR | O_CREAT, 0644);
       THAT(::write(fd, "abc", 3) == 3);
       WANT(err(::unlink("a")), 0);
       THAT(lst("a").st_mode == 0);
       THAT(::write(fd, "def", 3) == 3);
       char b[8] = {};
       THAT(::pread(fd, b, 8, 0) == 6 && std::string(b) == "abcdef");
       struct stat st;
       WANT(err(::fstat(fd, &st)), 0);
       THAT(st.st_nlink == 0 && st.st_size == 6);
       WANT(err(::close(fd)), 0);
       THAT(lst("a").st_mode == 0);
       return std::string();
     }},
    {"unlinked but open for reading",
     [] {
       WANT(put("a", "content"), 0);
       const int fd = ::open("a", O_RDONLY);
       WANT(err(::unlink("a")), 0);
       char b[16] = {};
       THAT(::read(fd, b, 16) == 7 && std::string(b) == "content");
       ::close(fd);
       return std::string();
     }},
    {"rename over", [] { WANT(put("a", "1"), 0); WANT(put("b", "2"), 0); const auto ino = lst("a").st_ino; WANT(err(::rename("a", "b")), 0); THAT(get("b") == "1"); THAT(lst("b").st_ino == ino); THAT(lst("a").st_mode == 0); return std::string(); }},
    {"rename over an open file keeps its reader",
     [] {
       WANT(put("a", "new"), 0);
       WANT(put("b", "old"), 0);
       const int fd = ::open("b", O_RDONLY);
       WANT(err(::rename("a", "b")), 0);
       char b[8] = {};
       THAT(::read(fd, b, 8) == 3 && std::string(b) == "old");
       ::close(fd);
       THAT(get("b") == "new");
       return std::string();
     }},
    {"an open file that is renamed is written under its new name",
     [] {
       const int fd = ::open("a", O_WRONLY | O_CREAT, 0644);
       THAT(::write(fd, "1", 1) == 1);
       WANT(err(::rename("a", "b")), 0);
       THAT(::write(fd, "2", 1) == 1);
       WANT(err(::close(fd)), 0);
       THAT(get("b") == "12");
       THAT(lst("a").st_mode == 0);
       return std::string();
     }},
    {"rename of nothing", [] { WANT(err(::rename("a", "b")), ENOENT); return std::string(); }},
    {"rename of a file onto a directory", [] { WANT(put("a"), 0); WANT(err(::mkdir("d", 0755)), 0); WANT(err(::rename("a", "d")), EISDIR); return std::string(); }},
    {"rename of a directory onto a file", [] { WANT(put("a"), 0); WANT(err(::mkdir("d", 0755)), 0); WANT(err(::rename("d", "a")), ENOTDIR); return std::string(); }},
    {"rename of a directory onto an empty one", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(put("d/a", "x"), 0); WANT(err(::mkdir("e", 0755)), 0); WANT(err(::rename("d", "e")), 0); THAT(get("e/a") == "x"); return std::string(); }},
    {"rename of a directory onto a full one", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::mkdir("e", 0755)), 0); WANT(put("e/a"), 0); WANT(err(::rename("d", "e")), ENOTEMPTY); return std::string(); }},
    {"rename of a directory below itself", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::rename("d", "d/e")), EINVAL); return std::string(); }},
    {"rename of a tree", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::mkdir("d/e", 0755)), 0); WANT(put("d/e/f", "deep"), 0); WANT(err(::rename("d", "g")), 0); THAT(get("g/e/f") == "deep"); THAT(lst("d").st_mode == 0); return std::string(); }},
    {"RENAME_NOREPLACE", [] { WANT(put("a", "1"), 0); WANT(put("b", "2"), 0); WANT(err(::renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE)), EEXIST); WANT(err(::renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE)), 0); THAT(get("c") == "1"); return std::string(); }},
    {"symlink and readlink", [] { WANT(err(::symlink("some/where", "l")), 0); char b[64] = {}; THAT(::readlink("l", b, 64) == 10); THAT(std::string(b) == "some/where"); THAT(S_ISLNK(lst("l").st_mode)); THAT(lst("l").st_size == 10); return std::string(); }},
    {"symlink onto something", [] { WANT(put("l"), 0); WANT(err(::symlink("x", "l")), EEXIST); return std::string(); }},
    {"symlinks in a circle", [] { WANT(err(::symlink("b", "a")), 0); WANT(err(::symlink("a", "b")), 0); WANT(err(::open("a", O_RDONLY)), ELOOP); return std::string(); }},
    {"readlink of a file", [] { WANT(put("a"), 0); char b[8]; WANT(err(::readlink("a", b, 8)), EINVAL); return std::string(); }},
    {"link", [] { WANT(put("a"), 0); WANT(err(::link("a", "b")), g_links ? 0 : EPERM); return std::string(); }},
    {"chmod", [] { WANT(put("a"), 0); WANT(err(::chmod("a", 04751)), 0); THAT((lst("a").st_mode & 07777) == 04751); return std::string(); }},
    {"chmod moves ctime, not mtime", [] { WANT(put("a"), 0); const auto before = lst("a"); ::usleep(20000); WANT(err(::chmod("a", 0600)), 0); const auto after = lst("a"); THAT(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec && after.st_mtim.tv_sec == before.st_mtim.tv_sec); THAT(after.st_ctim.tv_nsec != before.st_ctim.tv_nsec); return std::string(); }},
    {"chown", [] { WANT(put("a"), 0); if (::geteuid() != 0) return std::string(); WANT(err(::chown("a", 12, 34)), 0); THAT(lst("a").st_uid == 12 && lst("a").st_gid == 34); return std::string(); }},
    {"chmod of a directory", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::chmod("d", 0700)), 0); THAT((lst("d").st_mode & 07777) == 0700); return std::string(); }},
    {"nanoseconds of utimensat", [] { WANT(put("a"), 0); const timespec t[2] = {{1000000001, 123456789}, {1000000002, 987654321}}; WANT(err(::utimensat(AT_FDCWD, "a", t, 0)), 0); THAT(lst("a").st_atim.tv_nsec == 123456789); THAT(lst("a").st_mtim.tv_nsec == 987654321 && lst("a").st_mtim.tv_sec == 1000000002); return std::string(); }},
    {"times set before the close survive it",
     [] {
       const int fd = ::open("a", O_WRONLY | O_CREAT, 0644);
       THAT(::write(fd, "x", 1) == 1);
       const timespec t[2] = {{1000000001, 1}, {1000000002, 2}};
       WANT(err(::futimens(fd, t)), 0);
       WANT(err(::fchmod(fd, 0640)), 0);
       WANT(err(::close(fd)), 0);
       THAT(lst("a").st_mtim.tv_sec == 1000000002 && lst("a").st_mtim.tv_nsec == 2);
       THAT((lst("a").st_mode & 07777) == 0640);
       THAT(get("a") == "x");
       return std::string();
     }},
    {"times of a symlink", [] { WANT(err(::symlink("x", "l")), 0); const timespec t[2] = {{5, 6}, {7, 8}}; WANT(err(::utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW)), 0); THAT(lst("l").st_mtim.tv_sec == 7); return std::string(); }},
    {"entries move a directory's mtime", [] { WANT(err(::mkdir("d", 0755)), 0); const auto before = lst("d").st_mtim; ::usleep(20000); WANT(put("d/a"), 0); const auto after = lst("d").st_mtim; THAT(after.tv_sec > before.tv_sec || after.tv_nsec > before.tv_nsec); return std::string(); }},
    {"truncate shrinks and grows", [] { WANT(put("a", "abcdef"), 0); WANT(err(::truncate("a", 3)), 0); THAT(get("a") == "abc"); WANT(err(::truncate("a", 5)), 0); THAT(get("a") == std::string("abc\0\0", 5)); return std::string(); }},
    {"truncate of a directory", [] { WANT(err(::mkdir("d", 0755)), 0); WANT(err(::truncate("d", 0)), EISDIR); return std::string(); }},
    {"ftruncate seen by another handle", [] { WANT(put("a", "abcdef"), 0); const int w = ::open("a", O_RDWR), r = ::open("a", O_RDONLY); WANT(err(::ftruncate(w, 2)), 0); struct stat st; WANT(err(::fstat(r, &st)), 0); THAT(st.st_size == 2); ::close(w); ::close(r); return std::string(); }},
    {"a write is seen by another handle at once", [] { WANT(put("a", "old"), 0); const int w = ::open("a", O_RDWR), r = ::open("a", O_RDONLY); THAT(::pwrite(w, "new", 3, 0) == 3); char b[4] = {}; THAT(::pread(r, b, 3, 0) == 3 && std::string(b) == "new"); ::close(w); ::close(r); return std::string(); }},
    {"a hole reads as zeros", [] { const int fd = ::open("a", O_RDWR | O_CREAT, 0644); THAT(::pwrite(fd, "x", 1, 100000) == 1); char b[2] = {'q', 'q'}; THAT(::pread(fd, b, 2, 50000) == 2 && b[0] == 0 && b[1] == 0); WANT(err(::close(fd)), 0); THAT(lst("a").st_size == 100001); return std::string(); }},
    {"read past the end", [] { WANT(put("a", "abc"), 0); const int fd = ::open("a", O_RDONLY); char b[4]; THAT(::pread(fd, b, 4, 10) == 0); ::close(fd); return std::string(); }},
    {"write to a read-only handle", [] { WANT(put("a"), 0); const int fd = ::open("a", O_RDONLY); WANT(err(::write(fd, "x", 1)), EBADF); ::close(fd); return std::string(); }},
    {"lseek past the end for data", [] { WANT(put("a", "abc"), 0); const int fd = ::open("a", O_RDONLY); WANT(err(::lseek(fd, 10, SEEK_DATA)), ENXIO); THAT(::lseek(fd, 0, SEEK_HOLE) == 3); ::close(fd); return std::string(); }},
    {"fallocate extends", [] { const int fd = ::open("a", O_RDWR | O_CREAT, 0644); WANT(err(::fallocate(fd, 0, 0, 5000)), 0); ::close(fd); THAT(lst("a").st_size == 5000); return std::string(); }},
    {"copy_file_range", [] { WANT(put("a", "0123456789"), 0); const int in = ::open("a", O_RDONLY), out = ::open("b", O_RDWR | O_CREAT, 0644); loff_t from = 2; THAT(::copy_file_range(in, &from, out, nullptr, 5, 0) == 5); ::close(in); WANT(err(::close(out)), 0); THAT(get("b") == "23456"); return std::string(); }},
    {"fsync of a file and of its directory", [] { const int fd = ::open("a", O_RDWR | O_CREAT, 0644); THAT(::write(fd, "x", 1) == 1); WANT(err(::fsync(fd)), 0); ::close(fd); const int d = ::open(".", O_RDONLY | O_DIRECTORY); WANT(err(::fsync(d)), 0); ::close(d); return std::string(); }},
    {"fifo and device", [] { WANT(err(::mkfifo("f", 0640)), 0); THAT(S_ISFIFO(lst("f").st_mode)); if (::geteuid() != 0) return std::string(); WANT(err(::mknod("c", S_IFCHR | 0600, makedev(1, 3))), 0); THAT(S_ISCHR(lst("c").st_mode) && lst("c").st_rdev == makedev(1, 3)); return std::string(); }},
    {"user xattrs", [] { WANT(put("a"), 0); char b[8] = {}; WANT(err(::getxattr("a", "user.k", b, 8)), ENODATA); WANT(err(::setxattr("a", "user.k", "v1", 2, XATTR_REPLACE)), ENODATA); WANT(err(::setxattr("a", "user.k", "v1", 2, 0)), 0); WANT(err(::setxattr("a", "user.k", "v2", 2, XATTR_CREATE)), EEXIST); THAT(::getxattr("a", "user.k", b, 8) == 2 && std::string(b) == "v1"); WANT(err(::getxattr("a", "user.k", b, 1)), ERANGE); char names[64] = {}; THAT(::listxattr("a", names, 64) == 7); WANT(err(::removexattr("a", "user.k")), 0); WANT(err(::removexattr("a", "user.k")), ENODATA); return std::string(); }},
    {"xattrs survive a write", [] { WANT(put("a", "1"), 0); WANT(err(::setxattr("a", "user.k", "v", 1, 0)), 0); WANT(put("a", "2"), 0); char b[4] = {}; THAT(::getxattr("a", "user.k", b, 4) == 1); return std::string(); }},
    {"a listing of 2500 names is complete", [] { WANT(err(::mkdir("d", 0755)), 0); for (int i = 0; i < 2500; ++i) WANT(put(("d/" + std::to_string(i)).c_str(), ""), 0); THAT(list("d").size() == 2502); return std::string(); }},
    {"statvfs", [] { struct statvfs st; WANT(err(::statvfs(".", &st)), 0); THAT(st.f_blocks > 0 && st.f_bavail <= st.f_blocks && st.f_namemax == 255); return std::string(); }},
    {"inode numbers differ and stay", [] { WANT(put("a"), 0); WANT(put("b"), 0); const auto ino = lst("a").st_ino; THAT(ino != lst("b").st_ino); WANT(put("a", "again"), 0); THAT(lst("a").st_ino == ino); return std::string(); }},
    {"set-group-id directory hands its group down", [] { if (::geteuid() != 0) return std::string(); WANT(err(::mkdir("d", 0755)), 0); WANT(err(::chown("d", 0, 77)), 0); WANT(err(::chmod("d", 02775)), 0); WANT(put("d/a"), 0); THAT(lst("d/a").st_gid == 77); return std::string(); }},
};

std::string run_in_folder(const Case& test, const std::string& folder) {
  if (::mkdir(folder.c_str(), 0755) != 0 || ::chdir(folder.c_str()) != 0) return "mkdir " + folder;
  return test.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: posix_table DIR [--no-links]\n"), 2;
  g_links = argc < 3 || std::string(argv[2]) != "--no-links";
  ::umask(0);
  const std::string base = std::string(argv[1]) + "/posix-" + std::to_string(::getpid());
  if (::mkdir(base.c_str(), 0755) != 0) return std::perror(base.c_str()), 2;
  int failed = 0;
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    const std::string wrong = run_in_folder(kCases[i], base + "/" + std::to_string(i));
    if (wrong.empty()) continue;
    std::printf("FAILED %s: %s\n", kCases[i].name, wrong.c_str());
    ++failed;
  }
  if (::chdir("/") != 0) return 2;
  const std::string clean = "rm -rf '" + base + "'";
  if (std::system(clean.c_str()) != 0) ++failed;
  std::printf("%zu cases, %d failed\n", kCases.size(), failed);
  return failed == 0 ? 0 : 1;
}
