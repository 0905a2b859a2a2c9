// SPDX-License-Identifier: MIT
// Preloaded into a node: its wall clock is the machine's and an offset, or stands still, as the
// file says that $AISFS_TEST_CLOCK names. Other clocks go on.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "tests/fault/cluster/clock_file.h"

namespace {

using aisfs::tests::storm::ClockFile;

const ClockFile* map_file() {
  const char* name = std::getenv("AISFS_TEST_CLOCK");
  const int fd = name == nullptr ? -1 : ::open(name, O_RDONLY | O_CLOEXEC);
  void* memory =
      fd < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(ClockFile), PROT_READ, MAP_SHARED, fd, 0);
  if (fd >= 0) ::close(fd);
  return memory == MAP_FAILED ? nullptr : static_cast<const ClockFile*>(memory);
}

void shift(timespec& time) {
  static const ClockFile* const file = map_file();
  if (file == nullptr) return;
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t now = time.tv_sec * kSecond + time.tv_nsec + file->offset_ns;
  if (const std::int64_t frozen = file->frozen_ns; frozen != 0) now = frozen;
  time.tv_sec = now / kSecond;
  time.tv_nsec = now % kSecond;
}

}  // namespace

extern "C" int shifted_clock_gettime(clockid_t clock, timespec* out) __asm__("clock_gettime");
extern "C" int shifted_clock_gettime(clockid_t clock, timespec* out) {
  static const auto real =
      reinterpret_cast<int (*)(clockid_t, timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int done = real(clock, out);
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (done == 0 && wall) shift(*out);
  return done;
}

extern "C" int shifted_gettimeofday(timeval* out, void*) __asm__("gettimeofday");
extern "C" int shifted_gettimeofday(timeval* out, void*) {
  timespec now{};
  shifted_clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

extern "C" time_t shifted_time(time_t* out) __asm__("time");
extern "C" time_t shifted_time(time_t* out) {
  timespec now{};
  shifted_clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
