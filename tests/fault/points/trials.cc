// SPDX-License-Identifier: MIT
#include "tests/fault/points/trials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "tests/fault/store_storm.h"

namespace aisfs::tests::points {
namespace {

constexpr unsigned kSecondsMax = 60;  // of a process; more, and it hangs
constexpr auto kWorksAgain = std::chrono::seconds(20);
constexpr std::size_t kTextMax = 8192;

/// What a child leaves, in memory that survives it.
struct Note {
  bool acked, ended;
  std::uint64_t calls;
  char hit[32], error[512], view[kTextMax], after[512];
};

template <std::size_t N>
void keep(char (&into)[N], std::string_view text) {
  const std::size_t n = std::min(N - 1, text.size());
  std::memcpy(into, text.data(), n);
  into[n] = '\0';
}

/// In a process of its own.
Deed in_child(const std::function<void(Note&)>& work) {
  void* memory =
      ::mmap(nullptr, sizeof(Note), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Note& note = *static_cast<Note*>(memory);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(kSecondsMax);
    work(note);
    note.ended = true;
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  Deed deed{.acked = note.acked,
            .ended = note.ended,
            .calls = note.calls,
            .hit = note.hit,
            .error = note.error,
            .view = note.view,
            .after = note.after};
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (!note.ended && !killed) {
    deed.error = std::string("it ended by signal ") +
                 (WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "none");
    deed.after = deed.error;
  }
  ::munmap(memory, sizeof(Note));
  return deed;
}

/// Whoever has a store that was refused something gets on with it, as soon as there is room again
/// or another mountpath has taken over.
std::string use_again(Bench& bench) {
  const auto until = std::chrono::steady_clock::now() + kWorksAgain;
  Status put;
  for (;;) {
    put = bench.put("later", "put afterwards");
    if (put || std::chrono::steady_clock::now() > until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (!put) return "later PUTs fail: " + put.error().what();
  RemoveOptions options;
  const Status gone =
      bench.run(bench.store().remove(key_of("later"), std::move(options), Durability::kFull));
  return gone ? std::string() : "a later DELETE fails: " + gone.error().what();
}

void do_it(const std::string& folder, const Scenario& scenario, const Plan& plan, Note& note) {
  Bench bench(folder);
  if (const Status opened = bench.open(); !opened) return keep(note.after, opened.error().what());
  const bool fails = plan.fault == Fault::kError || plan.fault == Fault::kErrors;
  arm(plan);
  const Status done = scenario.act(bench);
  note.acked = done.ok();
  if (!done) keep(note.error, done.error().what());
  if (!fails) bench.close();  // what follows an acknowledgement counts too
  note.calls = disarm();
  keep(note.hit, hit());
  if (!fails) return;
  // Where all disks have failed only a restart helps.
  const bool all_failed = plan.fault == Fault::kErrors && plan.error == EIO;
  if (!all_failed) keep(note.after, use_again(bench));
  const std::string view = bench.view();
  if (bench.all_in() && !all_failed)
    keep(note.view, view);  // else what is out of reach is not known
  bench.close();
}

}  // namespace

bool Trials::learn(const Scenario& scenario) {
  if (learnt_ == scenario.name) return true;
  learnt_ = scenario.name;
  const std::string make = "mkdir -p " + work() + "/m1 " + work() + "/m2";
  if (!run_command("rm -rf " + dir_ + "/* && " + make)) return false;
  const auto show = [](const std::string& folder, const std::function<Status(Bench&)>& first) {
    return in_child([&](Note& note) {
      Bench bench(folder);
      Status done = bench.open();
      if (done) done = first(bench);
      if (!done) return keep(note.after, done.error().what());
      keep(note.view, bench.view());
      bench.close();
    });
  };
  const Deed before = show(work(), scenario.prepare);
  if (!run_command("cp -a " + work() + " " + dir_ + "/fresh")) return false;
  const Deed after = show(work(), scenario.act);
  before_ = before.view, after_ = after.view;
  const bool fine = before.ended && after.ended && before.after.empty() && after.after.empty() &&
                    before_ != after_;
  if (!fine) {
    std::printf("%s: does not work without faults: %s%s\n%s---\n%s", scenario.name.c_str(),
                before.after.c_str(), after.after.c_str(), before_.c_str(), after_.c_str());
  }
  return fine;
}

bool Trials::mount_again() {
  const std::string mount = dir_.substr(0, dir_.rfind('/'));
  return run_command("umount " + mount) && run_command("mount -o loop " + image_ + " " + mount);
}

/// As an administrator starts it again; with the index, or, as after a loss of power, without.
std::string Trials::look_again(const Plan& plan, std::string& view, bool rebuilt) {
  if (rebuilt && !run_command("rm -rf " + work() + "/m?/%index")) return "no index to remove";
  const Deed deed = in_child([&](Note& note) {
    Bench bench(work());
    Status done = bench.open();
    if (done && plan.fault >= Fault::kError) done = bench.enable_all();
    if (!done) return keep(note.after, done.error().what());
    keep(note.view, bench.view());
    keep(note.after, use_again(bench));
    bench.close();
  });
  view = deed.view;
  if (!deed.after.empty()) return "started again: " + deed.after;
  return deed.ended ? std::string() : "started again, it does not end";
}

std::string Trials::judge(const Scenario& scenario, const Plan& plan, const Deed& deed) {
  if (!deed.after.empty()) return deed.after;
  std::string last = deed.view;
  const bool power = plan.fault == Fault::kPowerLoss;
  const bool must = deed.acked && (!power || scenario.durable);
  const auto wrong_with = [&](const std::string& view, const char* when) -> std::string {
    if (view != before_ && view != after_) return std::string(when) + " there is\n" + view;
    if (must && view != after_) return std::string(when) + " it is undone";
    if (last == after_ && view != after_) return std::string(when) + " it is undone, though seen";
    last = view;
    return {};
  };
  if (!deed.view.empty()) {
    if (std::string wrong = wrong_with(deed.view, "at once"); !wrong.empty()) return wrong;
  }
  for (const bool rebuilt : {false, true}) {
    std::string view;
    if (std::string wrong = look_again(plan, view, rebuilt); !wrong.empty()) return wrong;
    std::string wrong = wrong_with(view, rebuilt ? "without an index" : "started again");
    if (!wrong.empty()) return wrong;
  }
  return {};
}

bool Trials::make_fresh_copy() {
  return run_command("rm -rf " + work() + " && cp -a " + dir_ + "/fresh " + work());
}

/// Of those that this fault may hit.
std::uint64_t Trials::calls_of(const Scenario& scenario, const Plan& plan) {
  if (!make_fresh_copy()) return 0;
  Plan none = plan;
  none.at = ~std::uint64_t{0};
  return in_child([&](Note& note) { do_it(work(), scenario, none, note); }).calls;
}

bool Trials::try_point(const Scenario& scenario, const Plan& plan) {
  if (!make_fresh_copy()) return false;
  const bool power = plan.fault == Fault::kPowerLoss;
  Plan here = plan;
  if (power) {
    here.file_system = ::open(dir_.c_str(), O_RDONLY | O_DIRECTORY);
    ::syncfs(here.file_system);
  }
  const Deed deed = in_child([&](Note& note) { do_it(work(), scenario, here, note); });
  if (power) {
    ::close(here.file_system);
    if (!mount_again()) return false;
  }
  ++points_;
  const std::string wrong = judge(scenario, plan, deed);
  if (wrong.empty()) return true;
  ++wrongs_;
  std::printf("  WRONG: %s, fault %d errno %d at call %lu %s: %s%s%s: %s\n", scenario.name.c_str(),
              static_cast<int>(plan.fault), plan.error, plan.at, deed.hit.c_str(),
              deed.acked ? "acknowledged" : "not acknowledged", deed.error.empty() ? "" : ", ",
              deed.error.c_str(), wrong.c_str());
  return false;
}

bool Trials::run(
    const Scenario& scenario, Fault fault, int error, std::uint64_t every, std::uint64_t first) {
  if (!scenario.whole) return true;
  set_syncs(fault == Fault::kPowerLoss);
  if (!learn(scenario)) {
    ++wrongs_;
    return false;
  }
  const std::uint64_t calls = calls_of(scenario, {.fault = fault, .error = error});
  bool good = true;
  for (std::uint64_t at = 1 + first % every; at <= calls; at += every) {
    good = try_point(scenario, {.fault = fault, .at = at, .error = error}) && good;
  }
  return good;
}

}  // namespace aisfs::tests::points
