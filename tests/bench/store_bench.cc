// SPDX-License-Identifier: MIT
// PUT and GET on a store alone, without network: what an operation costs in CPU and wall time.
// Beside them what a store without group commit does: an object is hashed, written under a
// temporary name with its hash, synced and renamed, and its directory is synced ("file sync"), by a
// thread for each client; and what this store does for level `data`, followed by a sync of the
// directory ("own sync").
//
//   store_bench FOLDER [--clients N] [--megabytes N] [--kib SIZE] [--synced N]
//
// --synced: so many operations that are synced, at most; more tell what a disk does in the long
// run. FOLDER is made a mountpath and emptied afterwards. It decides the file system that is
// measured: use a loop-mounted XFS or journaled ext4.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "common/async/offload.h"
#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"
#include "node/store/body_digests.h"
#include "node/store/store.h"

namespace {

using namespace aisfs;
using store::Store;

constexpr BucketId kBucket{1};
constexpr std::size_t kFolders = 16;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + t.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

store::Key key_of(std::size_t i) {
  return store::make_key(kBucket, {native_bucket("bench"),
                                   "d" + std::to_string(i % kFolders) + "/o" + std::to_string(i)});
}

/// A body in memory, without a copy for each operation.
class ViewSource final : public BodySource {
 public:
  explicit ViewSource(const std::string& bytes) : left_(as_bytes(bytes)) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t n = std::min(into.size(), left_.size());
    std::memcpy(into.data(), left_.data(), n);
    left_ = left_.subspan(n);
    co_return n;
  }

 private:
  ConstBytes left_;
};

class OwnSync;

struct Load {
  Store& store;
  const std::string& body;
  std::size_t count;
  Durability level;
  std::size_t names = count;
  OwnSync* own_sync = nullptr;
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> failed = 0;
};

Task<void> put_some(Load& load) {
  while (true) {
    const std::size_t i = load.next++;
    if (i >= load.count) co_return;
    ViewSource body(load.body);
    PutOptions options{.level = load.level, .size = load.body.size()};
    ExpectedChecksums expected;
    auto put = co_await load.store.put(key_of(i), std::move(options), std::move(expected), body);
    if (!put) ++load.failed;
  }
}

/// The store's own way of syncing one object alone: its contents (level `data`), then its
/// directory.
class OwnSync {
 public:
  OwnSync(const std::string& mountpath, int clients) : pool_(clients) {
    for (std::size_t i = 0; i < kFolders; ++i) {
      const std::string path = mountpath + "/@ais/bench/%ob/d" + std::to_string(i);
      folders_.emplace_back(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
  }
  ~OwnSync() { pool_.join(); }
  Task<bool> sync_folder(std::size_t i) {
    auto sync = [fd = folders_[i % kFolders].get()] { return ::fsync(fd) == 0; };
    co_return co_await offload(pool_, std::move(sync));
  }

 private:
  asio::thread_pool pool_;
  std::vector<UniqueFd> folders_;
};

Task<void> put_and_sync(Load& load) {
  while (true) {
    const std::size_t i = load.next++;
    if (i >= load.count) co_return;
    ViewSource body(load.body);
    PutOptions options{.level = Durability::kData, .size = load.body.size()};
    ExpectedChecksums expected;
    auto put = co_await load.store.put(key_of(i), std::move(options), std::move(expected), body);
    const bool synced = co_await load.own_sync->sync_folder(i);
    if (!put || !synced) ++load.failed;
  }
}

/// Up to the descriptor that the HTTP layer would send from: no bytes are touched.
Task<void> get_some(Load& load) {
  while (true) {
    const std::size_t i = load.next++;
    if (i >= load.count) co_return;
    GetOptions options;
    auto stream = co_await load.store.open_object(key_of(i % load.names), std::move(options),
                                                  VerifyRead::kFirst);
    if (!stream || stream->body->file() == nullptr) ++load.failed;
  }
}

Task<void> many(Load& load, int clients, Task<void> (*client)(Load&)) {
  TaskScope scope(co_await asio::this_coro::executor);
  for (int i = 0; i < clients; ++i) scope.spawn(client(load));
  co_await scope.join();
}

/// One object after another, each durable under its name before the next. `first`: not durable, so
/// that there is something to replace.
void sync_some(Load& load, const std::string& folder, bool first) {
  while (true) {
    const std::size_t i = load.next++;
    if (i >= load.count) return;
    const std::string parent = folder + "/d" + std::to_string(i % kFolders);
    const std::string name = parent + "/o" + std::to_string(i), temporary = name + ".tmp";
    const UniqueFd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const auto size = static_cast<ssize_t>(load.body.size());
    store::BodyDigests digests(false, {});
    digests.update(as_bytes(load.body));
    const auto sums = digests.finish();
    const std::string sum = sums.ok() ? to_hex(sums->hashes.root) : "";
    const bool done =
        sums.ok() && ::write(file.get(), load.body.data(), load.body.size()) == size &&
        ::fsetxattr(file.get(), "user.sum", sum.data(), sum.size(), 0) == 0 &&
        (first || ::fsync(file.get()) == 0) && ::rename(temporary.c_str(), name.c_str()) == 0 &&
        (first || ::fsync(directory.get()) == 0);
    if (!done) ++load.failed;
  }
}

/// Operations a second; printed with the rest.
double measure(const char* what, Load& load, int clients, const std::function<void()>& run) {
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  run();
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double n = static_cast<double>(load.count);
  std::printf("%-12s %9zu B  %-5s %3d clients  %8.1f us CPU  %9.0f/s  %8.1f MB/s%s\n", what,
              load.body.size(), std::string(to_string(load.level)).c_str(), clients,
              (cpu_seconds() - cpu) / n * 1e6, n / wall,
              n * static_cast<double>(load.body.size()) / wall / 1e6,
              load.failed > 0 ? "  FAILED" : "");
  return n / wall;
}

double measure(
    Runtime& runtime, const char* what, Load& load, int clients, Task<void> (*client)(Load&)) {
  return measure(what, load, clients, [&] { runtime.run_on(0, many(load, clients, client)); });
}

double measure_synced(Load& load, int clients, const std::string& folder) {
  for (std::size_t i = 0; i < kFolders; ++i)
    std::filesystem::create_directories(folder + "/d" + std::to_string(i));
  Load before{load.store, load.body, load.count, Durability::kNone};
  sync_some(before, folder, true);
  ::sync();
  const double rate = measure("file sync", load, clients, [&] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < clients; ++i) threads.emplace_back([&] { sync_some(load, folder, false); });
  });
  std::filesystem::remove_all(folder);
  return rate;
}

int bench(const std::string& folder,
          int clients,
          std::size_t megabytes,
          std::size_t synced_max,
          std::vector<std::size_t> sizes) {
  const std::string path = folder + "/store_bench";
  std::filesystem::create_directories(path);
  RealClock clock;
  Runtime runtime(1);
  Store store({.cluster_uuid = "bench", .node_id = "bench", .mountpaths = {path}, .reserve_bytes = 0},
              clock);
  if (Status st = store.open(); !st) {
    std::fprintf(stderr, "%s\n", st.error().what().c_str());
    return 1;
  }
  runtime.start();
  for (const std::size_t size : sizes) {
    const std::string body(size, 'x');
    const std::size_t fits = std::max<std::size_t>(megabytes * 1_MiB / size, 4);
    for (const Durability level : {Durability::kNone, Durability::kData, Durability::kFull}) {
      ::sync();  // each phase pays for its own dirty pages
      Load fresh{store, body,
                 std::min<std::size_t>(fits, level == Durability::kNone ? 20'000 : synced_max),
                 level};
      const double rate = measure(runtime, level == Durability::kNone ? "PUT new" : "PUT over",
                                  fresh, clients, put_some);
      if (level == Durability::kFull) {
        OwnSync own_sync(path, clients);
        Load alone{store, body, fresh.count, level};
        alone.own_sync = &own_sync;
        std::printf("full / own sync: %.2f\n",
                    rate / measure(runtime, "own sync", alone, clients, put_and_sync));
        Load synced{store, body, fresh.count, level};
        std::printf("full / file sync: %.2f\n",
                    rate / measure_synced(synced, clients, path + "-synced"));
      }
      if (level != Durability::kNone) continue;
      Load over{store, body, fresh.count, level};
      measure(runtime, "PUT over", over, clients, put_some);
      Load warm{store, body, std::min<std::size_t>(fresh.count, 2000), level};
      measure(runtime, "GET open", warm, clients, get_some);
      Load hot{store, body, 200'000, level, warm.count};
      measure(runtime, "GET hot", hot, clients, get_some);
    }
  }
  store.close();
  std::filesystem::remove_all(path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(
        stderr,
        "usage: store_bench FOLDER [--clients N] [--megabytes N] [--kib SIZE] [--synced N]\n");
    return 2;
  }
  int clients = 32;
  std::size_t megabytes = 256, synced = 4'000;
  std::vector<std::size_t> sizes{4_KiB, 128_KiB, 1_MiB, 16_MiB};
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--clients") clients = std::atoi(argv[i + 1]);
    if (option == "--megabytes") megabytes = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--synced") synced = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--kib") sizes = {std::strtoull(argv[i + 1], nullptr, 10) * 1_KiB};
  }
  return bench(argv[1], clients, megabytes, synced, std::move(sizes));
}
