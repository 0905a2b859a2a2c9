// SPDX-License-Identifier: MIT
#include "aisfs/mount/daemon.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace aisfs::mount {
namespace {

constexpr char kReady = 'R';

/// The parent's whole rest of life.
[[noreturn]] void wait_for_child(int fd) {
  std::string told;
  char buffer[512];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) told.append(buffer, static_cast<std::size_t>(n));
    if (!told.empty() && told.front() == kReady) ::_exit(0);
  }
  if (told.empty()) told = "the mount process ended without a word";
  std::fprintf(stderr, "aisfs: %s\n", told.c_str());
  ::_exit(1);
}

}  // namespace

Result<Daemon> Daemon::detach() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return errno_error("fork");
  if (child > 0) {
    write_end.reset();
    wait_for_child(read_end.get());
  }
  ::setsid();
  if (::chdir("/") != 0) return errno_error("chdir /");
  Daemon daemon;
  daemon.tell_ = std::move(write_end);
  return daemon;
}

void Daemon::ready() {
  if (!tell_.valid()) return;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null >= 0) ::dup2(null, fd);
  }
  if (null >= 0) ::close(null);
  if (::write(tell_.get(), &kReady, 1) != 1) ::_exit(1);  // nobody waits for this mount
  tell_.reset();
}

void Daemon::fail(const std::string& why) {
  if (!tell_.valid()) {
    std::fprintf(stderr, "aisfs: %s\n", why.c_str());
    return;
  }
  const ssize_t n = ::write(tell_.get(), why.data(), why.size());
  if (n < 0) std::fprintf(stderr, "aisfs: %s\n", why.c_str());
  tell_.reset();
}

}  // namespace aisfs::mount
