// SPDX-License-Identifier: MIT
// Hosts that make the same names at once: of each name, one wins. usage: exclusive NAMES FOLDER...
// Each FOLDER is the same directory, seen through another mount.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <vector>

namespace {

struct Name {
  std::atomic<int> winners = 0;
  std::atomic<int> winner = -1;
};
struct Race {
  std::atomic<int> ready = 0, failures = 0;
  Name* names = nullptr;
};

void fail(Race& race, const std::string& path, const char* call) {
  std::fprintf(stderr, "%s: %s: %s\n", path.c_str(), call, std::strerror(errno));
  ++race.failures;
}

void run(Race& race, const std::string& folder, int self, int names, int hosts) {
  ++race.ready;
  while (race.ready < hosts) ::sched_yield();
  for (int i = 0; i < names; ++i) {
    const std::string path = folder + "/" + std::to_string(i);
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) {
      fail(race, path, "open");
      continue;
    }
    const std::string text = std::to_string(self);
    if (::write(fd, text.data(), text.size()) < 0) fail(race, path, "write");
    if (::close(fd) != 0) fail(race, path, "close");
    ++race.names[i].winners;
    race.names[i].winner = self;
  }
}

bool check(const Race& race, const std::vector<std::string>& folders, int names) {
  bool good = race.failures == 0;
  for (int i = 0; i < names; ++i) {
    if (race.names[i].winners != 1) {
      std::fprintf(stderr, "%d: %d hosts made it\n", i, race.names[i].winners.load());
      good = false;
    }
    for (const std::string& folder : folders) {
      int seen = -1;
      std::ifstream(folder + "/" + std::to_string(i)) >> seen;
      if (seen == race.names[i].winner) continue;
      std::fprintf(stderr, "%s/%d: of %d, made by %d\n", folder.c_str(), i, seen,
                   race.names[i].winner.load());
      good = false;
    }
  }
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: exclusive NAMES FOLDER FOLDER...\n");
    return 2;
  }
  const int names = std::atoi(argv[1]);
  const std::vector<std::string> folders(argv + 2, argv + argc);
  const std::size_t bytes = sizeof(Race) + static_cast<std::size_t>(names) * sizeof(Name);
  // Shared with the processes that are forked.
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 2;
  Race& race = *new (memory) Race;
  race.names = new (&race + 1) Name[static_cast<std::size_t>(names)];
  for (std::size_t i = 0; i < folders.size(); ++i) {
    if (::fork() != 0) continue;
    run(race, folders[i], static_cast<int>(i), names, static_cast<int>(folders.size()));
    ::_exit(0);
  }
  while (::wait(nullptr) > 0) {
  }
  if (!check(race, folders, names)) return 1;
  std::printf("%d names, %zu hosts: one winner each\n", names, folders.size());
  return 0;
}
