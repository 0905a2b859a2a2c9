// SPDX-License-Identifier: MIT
// Disks that come and go under a storm of writes at level full: one is attached, one is pulled (its
// file system reports errors) and comes back, one is emptied and detached, one is unmounted behind
// the target's back. Nothing acknowledged is lost but what lies on a disk that is away alone: that
// is answered not_ready until the disk is back. Needs root (mount) and xfsprogs, e2fsprogs.
//
//   mountpaths_fault [--fs xfs|ext4] [--seconds N]
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include "common/async/runtime.h"
#include "common/async/scope.h"
#include "tests/fault/store_storm.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests;
using store::Store;
using Clocks = std::chrono::steady_clock;

constexpr BucketId kBucket{7};
constexpr int kWriters = 4, kNames = 64;  // of each writer
constexpr int kStill = 16;                // of these, written once
constexpr auto kFailsWithin = std::chrono::seconds(5);
constexpr auto kSettlesWithin = std::chrono::seconds(60);

/// Operation n of a name is a removal when n % 5 == 0, else a PUT whose body says n. What is there
/// is of an operation between the last one that was acknowledged and the last one that was begun.
struct Name {
  std::atomic<std::uint64_t> begun = 0, acked = 0;
};

store::Key key_of(int writer, int i) {
  const std::string name = "w" + std::to_string(writer) + "/n" + std::to_string(i);
  return store::make_key(kBucket, {native_bucket("storm"), name});
}

std::string body_of(std::uint64_t n) {
  const std::size_t size = n % 7 == 0 ? 300'000 : 100;
  std::string body = std::to_string(n) + " ";
  body.resize(std::max(size, body.size()), 'x');
  return body;
}

struct Verdict {
  int right = 0, lacking = 0, wrong = 0;
};

class Trial {
 public:
  Trial(std::string fs, std::string dir) : fs_(std::move(fs)), dir_(std::move(dir)) {}

  bool run(std::chrono::seconds phase) {
    phase_ = phase;
    if (!make_disk("a") || !make_disk("b") || !make_disk("c")) return false;
    runtime_.start();
    store_ = std::make_unique<Store>(store::StoreOptions{.cluster_uuid = "c",
                                                         .node_id = "t",
                                                         .mountpaths = {path("a"), path("b")},
                                                         .reserve_bytes = 16_MiB,
                                                         .intent_bytes = 4_MiB},
                                     clock_);
    if (Status st = store_->open(); !st) return failed("open", st);
    runtime_.run_on(0, begin_background());
    const bool good = attach_one() && pull_one() && detach_one() && unmount_one();
    stop_writers();
    runtime_.run_on(0, end_background());
    store_->close();
    store_.reset();
    runtime_.stop();
    for (const char* disk : {"a", "b", "c"})
      (void)run_command("umount " + mount(disk) + " 2>/dev/null");
    std::printf("%s operations %lu refused %lu\n", fs_.c_str(), operations_.load(),
                refused_.load());
    return good && operations_ > 100;
  }

 private:
  std::string mount(const std::string& disk) const { return dir_ + "/" + disk; }
  std::string path(const std::string& disk) const { return mount(disk) + "/m"; }
  bool mount_disk(const std::string& disk) const {
    return run_command("mount -o loop " + dir_ + "/" + disk + ".image " + mount(disk));
  }
  bool make_disk(const std::string& disk) const {
    const std::string mkfs = fs_ == "xfs" ? "mkfs.xfs -q -f " : "mkfs.ext4 -q -F ";
    const std::string image = dir_ + "/" + disk + ".image";
    return run_command("mkdir " + mount(disk) + " && truncate -s 512M " + image) &&
           run_command(mkfs + image) && mount_disk(disk) && run_command("mkdir " + path(disk));
  }
  /// As `xfs_io -x -c shutdown`: from here on the file system answers with errors.
  bool pull(const std::string& disk) const {
    const int fd = ::open(mount(disk).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::uint32_t flags = 2;
    const bool done = fd >= 0 && ::ioctl(fd, _IOR('X', 125, std::uint32_t), &flags) == 0;
    if (fd >= 0) ::close(fd);
    return done;
  }

  template <class T>
  T call(int shard, Task<T> task) {
    std::optional<T> out;
    auto keep = [](Task<T> t, std::optional<T>& to) -> Task<void> {
      to.emplace(co_await std::move(t));
    };
    runtime_.run_on(static_cast<std::size_t>(shard), keep(std::move(task), out));
    return *std::move(out);
  }
  Task<void> begin_background() {
    scope_ = std::make_unique<TaskScope>(co_await asio::this_coro::executor);
    scope_->spawn(store_->run());
  }
  Task<void> end_background() {
    scope_->cancel();
    try {
      co_await scope_->join();
    } catch (const std::exception&) {  // cancelled in a wait
    }
    scope_.reset();
  }

  void start_writers() {
    stop_ = false;
    for (int w = 0; w < kWriters; ++w) writers_.emplace_back([this, w] { write(w); });
  }
  void stop_writers() {
    stop_ = true;
    for (auto& writer : writers_) writer.join();
    writers_.clear();
  }
  void write(int writer) {
    for (int i = 0; !stop_; i = (i + 1) % kNames) {
      Name& name = names_[static_cast<std::size_t>(writer)][static_cast<std::size_t>(i)];
      if (i < kStill && name.acked != 0) continue;
      const std::uint64_t n = ++name.begun;
      const Status done = change(writer, i, n);
      done.ok() ? void(name.acked = n) : void(++refused_);
      ++operations_;
    }
  }
  Status change(int writer, int i, std::uint64_t n) {
    const store::Key key = key_of(writer, i);
    if (n % 5 == 0) {
      RemoveOptions options;
      options.missing_ok = true;
      return call(writer % 2, store_->remove(key, std::move(options), Durability::kFull));
    }
    PutOptions options{.level = Durability::kFull};
    StringSource body(body_of(n));
    auto put = call(writer % 2, store_->put(key, std::move(options), {}, body));
    return put ? Status() : Status(std::move(put).error());
  }

  /// Also of what a listing says.
  Verdict look() {
    Verdict verdict;
    std::size_t there = 0;
    for (int w = 0; w < kWriters; ++w) {
      for (int i = 0; i < kNames; ++i) there += look_at(w, i, verdict);
    }
    ListOptions all;
    all.limit = 10'000;
    const auto page = call(0, store_->list(kBucket, std::move(all)));
    // Of a bucket that a lost disk had anything of there is no listing, whatever was written since.
    const bool whole = !store_->lacks_anything();
    const bool right =
        page ? whole && page->entries.size() == there : !whole && page.error() == Errc::not_ready;
    if (!right) {
      std::printf("the listing is wrong: %s\n", page ? "names" : page.error().what().c_str());
      ++verdict.wrong;
    }
    return verdict;
  }
  std::size_t look_at(int writer, int i, Verdict& verdict) {
    const store::Key key = key_of(writer, i);
    const Name& name = names_[static_cast<std::size_t>(writer)][static_cast<std::size_t>(i)];
    const std::uint64_t low = name.acked, high = name.begun;
    const auto body = call(0, read(key));
    if (!body && body.error() == Errc::not_ready && store_->may_lack(key)) {
      ++verdict.lacking;
      return 0;
    }
    bool right = false;
    if (body) {
      const std::uint64_t n = std::strtoull(body->c_str(), nullptr, 10);
      right = n >= low && n <= high && n % 5 != 0 && *body == body_of(n);
    } else if (body.error() == Errc::not_found) {
      right = low == 0;
      for (std::uint64_t n = low; n <= high; ++n) right = right || n % 5 == 0;
    }
    right ? ++verdict.right : ++verdict.wrong;
    if (!right) {
      std::printf("%s: not of %lu to %lu: %s\n", key.display().c_str(), low, high,
                  body ? body->substr(0, 20).c_str() : body.error().what().c_str());
    }
    return body.ok() ? 1 : 0;
  }
  Task<Result<std::string>> read(store::Key key) {
    CO_TRY(auto stream, co_await store_->open_object(std::move(key), {}, VerifyRead::kAlways));
    co_return co_await read_all(*stream.body, 1_MiB);
  }

  std::string state_of(const std::string& disk) const {
    for (const MountpathInfo& info : store_->storage().mountpaths) {
      if (info.path == path(disk)) return info.state;
    }
    return "unknown";
  }
  bool wait_for(const char* what, Clocks::duration limit, const std::function<bool()>& done) {
    const auto begin = Clocks::now();
    while (!done()) {
      if (Clocks::now() - begin > limit) return failed(what, Error(Errc::timed_out));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clocks::now() - begin);
    std::printf("%s: %s after %ld ms\n", fs_.c_str(), what, static_cast<long>(took.count()));
    return true;
  }
  bool wait_until_settled(const char* what) {
    return wait_for(what, kSettlesWithin, [this] { return store_->storage().settled; });
  }
  void storm() {
    start_writers();
    std::this_thread::sleep_for(phase_);  // that much of a storm
  }
  bool expect(const char* when, bool may_lack) {
    const Verdict verdict = look();
    std::printf("%s: %s: right %d lacking %d wrong %d\n", fs_.c_str(), when, verdict.right,
                verdict.lacking, verdict.wrong);
    return verdict.wrong == 0 && (may_lack ? verdict.lacking > 0 : verdict.lacking == 0);
  }
  static bool failed(const char* what, const Status& status) {
    std::printf("%s failed: %s\n", what, status ? "" : status.error().what().c_str());
    return false;
  }

  bool attach_one() {
    storm();
    if (Status st = call(0, store_->attach(path("c"))); !st) return failed("attach", st);
    if (!wait_until_settled("names have moved to the new disk")) return false;
    stop_writers();
    return expect("after attach", false);
  }
  bool pull_one() {
    storm();
    if (!pull("b")) return failed("pull", Error(Errc::io));
    if (!wait_for("a pulled disk has failed", kFailsWithin,
                  [this] { return state_of("b") == "failed"; })) {
      return false;
    }
    std::this_thread::sleep_for(phase_);
    stop_writers();
    if (!expect("without the pulled disk", true)) return false;
    // Its descriptors are closed, or there would be no umount.
    const auto unmount = [this] { return run_command("umount " + mount("b") + " 2>/dev/null"); };
    if (!wait_for("the pulled disk is let go", kSettlesWithin, unmount) || !mount_disk("b")) {
      return false;
    }
    start_writers();
    if (Status st = call(0, store_->enable(path("b"))); !st) return failed("enable", st);
    if (!wait_until_settled("names have moved back")) return false;
    stop_writers();
    return expect("with the pulled disk", false);
  }
  bool detach_one() {
    storm();
    if (Status st = call(0, store_->detach(path("a"), Store::Emptying::kFirst)); !st) {
      return failed("detach", st);
    }
    if (!wait_until_settled("a disk is empty")) return false;
    stop_writers();
    if (!expect("after detach", false)) return false;
    const auto unmount = [this] { return run_command("umount " + mount("a") + " 2>/dev/null"); };
    return wait_for("the detached disk is let go", kSettlesWithin, unmount);
  }
  bool unmount_one() {
    storm();
    if (!run_command("umount -l " + mount("c"))) return false;
    if (!wait_for("an unmounted disk has failed", kFailsWithin,
                  [this] { return state_of("c") == "failed"; })) {
      return false;
    }
    std::this_thread::sleep_for(phase_);
    stop_writers();
    if (!expect("without the unmounted disk", true) || !wait_and_mount("c")) return false;
    if (Status st = call(0, store_->enable(path("c"))); !st) return failed("enable", st);
    return wait_until_settled("names are in order") && expect("at the end", false);
  }
  /// The file system lives until its last descriptor is closed; before, its image is busy.
  bool wait_and_mount(const std::string& disk) {
    return wait_for("the unmounted disk is let go", kSettlesWithin, [&] {
      return run_command("mount -o loop " + dir_ + "/" + disk + ".image " + mount(disk) +
                         " 2>/dev/null");
    });
  }

  const std::string fs_, dir_;
  std::chrono::seconds phase_{2};
  RealClock clock_;
  Runtime runtime_{2};
  std::unique_ptr<Store> store_;
  std::unique_ptr<TaskScope> scope_;
  std::array<std::array<Name, kNames>, kWriters> names_;
  std::vector<std::thread> writers_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> operations_ = 0, refused_ = 0;
};

int try_on(const std::string& fs, int seconds) {
  char name[] = "/tmp/aisfs-mountpaths-XXXXXX";
  const std::string dir = ::mkdtemp(name);
  Trial trial(fs, dir);
  const bool good = trial.run(std::chrono::seconds(seconds));
  for (const char* disk : {"a", "b", "c"}) {
    (void)run_command("umount -l " + dir + "/" + disk + " 2>/dev/null");
  }
  if (good) return run_command("rm -rf " + dir) ? 0 : 2;
  std::printf("kept for a look: %s\n", dir.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 2;
  std::string fs;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--fs") fs = argv[i + 1];
    if (option == "--seconds") seconds = std::atoi(argv[i + 1]);
  }
  if (::geteuid() != 0) {
    std::fprintf(stderr, "mountpaths_fault mounts file systems: run it as root\n");
    return 2;
  }
  if (!keep_mounts_to_itself()) return 2;
  if (!fs.empty()) return try_on(fs, seconds);
  const int xfs = try_on("xfs", seconds);
  const int ext4 = try_on("ext4", seconds);
  return xfs != 0 ? xfs : ext4;
}
