// SPDX-License-Identifier: MIT
// Lives of whole clusters, each in a process of its own. A line a life; what is wrong below it.
//
//   cluster_life [--seeds A..B] [--jobs N] [--verbose] [--twice] [--mutate NAME]
//   [--minimize]
//                [--troubles A,B] [--time SECONDS] [--clients N] [--keys N] [--copies N]
//                [--disk-copies N] [--slices
//                D+P]
//                [--gateways N] [--targets N]
//
// "--mutate all" does that with each of them, in the troubles where it shows best. --twice lives
// each life twice and fails when the two differ. --mutate breaks a rule on purpose, and fails when
// no seed notices. --minimize looks for the smallest life of a failing seed that fails. It needs
// root: each life mounts a folder that only it sees.
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>

#include "common/base/text.h"
#include "tests/sim/life.h"
#include "tests/sim/mutations.h"
#include "tests/sim/troubles.h"

namespace {

using namespace aisfs;
using namespace aisfs::tests::sim;

const std::string kAllMutations = "all";
constexpr std::size_t kShownMax = 6;       // of what is wrong with a life
constexpr std::size_t kLinesMax = 60;      // of one of them
constexpr unsigned kRealSecondsMax = 240;  // of a life; more, and it hangs

struct Arguments {
  LifeOptions life;
  std::uint64_t first = 1, last = 20, jobs = 2;
  bool twice = false, minimize = false;
};

struct Outcome {
  bool good = false;
  std::string text, trace;
};

std::string shortened(const std::string& text) {
  std::string out;
  std::size_t lines = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (++lines > kLinesMax) return out + "    ...\n";
    out += "    " + std::string(line) + "\n";
  }
  return out;
}

std::string command_of(const LifeOptions& o) {
  std::string names;
  for (const std::string& name : o.troubles) names += (names.empty() ? "" : ",") + name;
  const std::string seed = std::to_string(o.seed);
  return "cluster_life --seeds " + seed + ".." + seed + " --troubles " + names + " --time " +
         std::to_string(o.time / std::chrono::seconds(1)) + " --clients " +
         std::to_string(o.clients) + " --keys " + std::to_string(o.keys) + " --copies " +
         std::to_string(o.copies) + " --disk-copies " + std::to_string(o.disk_copies) +
         " --slices " + o.slices + " --gateways " + std::to_string(o.gateways) + " --targets " +
         std::to_string(o.targets) + (o.mutation.empty() ? "" : " --mutate " + o.mutation);
}

std::string describe(const LifeOptions& options, const LifeResult& result) {
  char line[512];
  std::snprintf(line, sizeof line,
                "seed %lu %s; %s; %zu operations, %zu answered, %zu moves, %.0f s, %lu switches, "
                "%lu disk steps, "
                "%lu messages, trace %016lx: %s\n",
                options.seed, result.shape.c_str(), result.done.c_str(), result.operations,
                result.answered, result.moves, result.lasted, result.switches, result.disk_steps,
                result.messages, result.trace, result.wrong.empty() ? "good" : "WRONG");
  std::string text = line;
  for (std::size_t i = 0; i < std::min(kShownMax, result.wrong.size()); ++i) {
    text += shortened(result.wrong[i]);
  }
  if (!result.wrong.empty()) text += "  again: " + command_of(options) + "\n";
  return text;
}

/// Where a node has ended by itself.
void on_crash(int signal) {
  void* frames[64];
  const int count = ::backtrace(frames, 64);
  ::backtrace_symbols_fd(frames, count, STDERR_FILENO);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// In a process of its own, for good.
[[noreturn]] void live_here(const LifeOptions& options, int out, std::uint64_t processor) {
  const char* const folder = "/tmp/aisfs-sim";
  ::mkdir(folder, 0700);
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", folder, "tmpfs", 0, nullptr) != 0) {
    std::perror("cluster_life: a folder of its own");
    ::_exit(2);
  }
  const rlimit files{65536, 65536};
  ::setrlimit(RLIMIT_NOFILE, &files);
  // One at a time anyway; and on one processor a turn is given away much sooner.
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
  ::alarm(kRealSecondsMax);
  ::signal(SIGSEGV, on_crash);
  ::signal(SIGABRT, on_crash);
  const LifeResult result = live(options);
  char head[32];
  std::snprintf(head, sizeof head, "%d%016lx", result.wrong.empty() ? 1 : 0, result.trace);
  const std::string text = head + describe(options, result);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(out, text.data() + done, text.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

struct Running {
  pid_t pid = -1;
  int out = -1;
  LifeOptions options;
};

Running start(const LifeOptions& options, std::uint64_t processor) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  std::fflush(nullptr);
  Running running{.pid = ::fork(), .out = ends[0], .options = options};
  if (running.pid == 0) live_here(options, ends[1], processor);
  ::close(ends[1]);
  return running;
}

Outcome wait_for(const Running& running) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(running.out, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(running.out);
  int status = 0;
  ::waitpid(running.pid, &status, 0);
  if (text.size() > 17) return {text[0] == '1', text.substr(17), text.substr(1, 16)};
  return {false,
          "seed " + std::to_string(running.options.seed) + " ends by " +
              (WIFSIGNALED(status) ? std::string("signal ") + strsignal(WTERMSIG(status))
                                   : "status " + std::to_string(WEXITSTATUS(status))) +
              ": WRONG\n  again: " + command_of(running.options) + "\n",
          ""};
}

/// Leaves out what it can.
LifeOptions minimized(LifeOptions options) {
  const auto fails = [](const LifeOptions& o) { return !wait_for(start(o, 0)).good; };
  std::vector<LifeOptions> smaller;
  const auto attempt = [&](auto change) {
    for (;;) {
      LifeOptions next = options;
      if (!change(next) || !fails(next)) return;
      options = next;
    }
  };
  for (std::size_t i = options.troubles.size(); i-- > 0;) {
    attempt([i](LifeOptions& o) {
      if (o.troubles.size() < 2 || i >= o.troubles.size()) return false;
      o.troubles.erase(o.troubles.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    });
  }
  attempt([](LifeOptions& o) { return (o.time = o.time * 2 / 3) > std::chrono::seconds(1); });
  attempt([](LifeOptions& o) { return o.gateways > 1 && --o.gateways > 0; });
  attempt([](LifeOptions& o) { return o.clients > 1 && --o.clients > 0; });
  attempt([](LifeOptions& o) { return o.keys > 1 && --o.keys > 0; });
  attempt([](LifeOptions& o) { return o.targets > 2 && --o.targets > 0; });
  return options;
}

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments arguments;
  LifeOptions& life = arguments.life;
  std::uint64_t time = 0, copies = 0, disk_copies = 1;
  const std::map<std::string, std::uint64_t*, std::less<>> numbers = {
      {"--jobs", &arguments.jobs},    {"--time", &time},
      {"--copies", &copies},          {"--disk-copies", &disk_copies},
      {"--clients", &life.clients},   {"--keys", &life.keys},
      {"--gateways", &life.gateways}, {"--targets", &life.targets}};
  const std::map<std::string, bool*, std::less<>> flags = {{"--verbose", &life.verbose},
                                                           {"--twice", &arguments.twice},
                                                           {"--minimize", &arguments.minimize}};
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (const auto flag = flags.find(option); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    if (i + 1 == argc) return Error(Errc::invalid_argument, option + " is not understood");
    const std::string value = argv[++i];
    const auto dots = value.find("..");
    const auto number = numbers.find(option);
    bool fine = false;
    if (option == "--seeds" && dots != std::string::npos) {
      const auto first = parse_u64(value.substr(0, dots)), last = parse_u64(value.substr(dots + 2));
      fine = first && last;
      if (fine) arguments.first = *first, arguments.last = *last;
    } else if (option == "--troubles") {
      fine = true;
      for (const std::string_view name : split(value, ',')) {
        fine = fine && is_trouble(name);
        life.troubles.emplace_back(name);
      }
    } else if (option == "--slices") {
      ErasureProps parsed;
      fine = parse_geometry(value, parsed).ok();
      life.slices = value;
    } else if (option == "--mutate") {
      fine = is_mutation(value) || value == kAllMutations;
      life.mutation = value;
    } else if (const auto n = parse_u64(value); n && number != numbers.end()) {
      fine = true;
      *number->second = *n;
    }
    if (!fine) return Error(Errc::invalid_argument, option + " " + value + " is not understood");
  }
  life.time = std::chrono::seconds(time);
  life.copies = static_cast<std::uint32_t>(copies);
  life.disk_copies = static_cast<std::uint32_t>(disk_copies);
  return arguments;
}

struct Count {
  std::uint64_t lives = 0, wrong = 0;
};

/// All of them, or until the first that is wrong.
Count live_all(const Arguments& arguments, bool until_wrong, bool quiet) {
  Count count;
  const std::uint64_t width = arguments.twice ? 2 : std::max<std::uint64_t>(1, arguments.jobs);
  const auto processors = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<Running> running;
  std::uint64_t next = arguments.first, started = 0;
  const auto begin = [&] {
    LifeOptions options = arguments.life;
    options.seed = next++;
    for (int i = arguments.twice ? 2 : 1; i > 0; --i) {
      running.push_back(start(drawn(options), started++ % processors));
    }
  };
  const auto take = [&] {
    const Running first = running.front();
    running.erase(running.begin());
    return first;
  };
  while (next <= arguments.last || !running.empty()) {
    while (next <= arguments.last && running.size() < width) begin();
    const Running first = take();
    Outcome outcome = wait_for(first);
    if (arguments.twice) {
      const Outcome again = wait_for(take());
      if (again.trace != outcome.trace) {
        outcome.good = false;
        outcome.text += "  another time it was trace " + again.trace + "\n";
      }
    }
    ++count.lives;
    count.wrong += outcome.good ? 0 : 1;
    if (!quiet) std::printf("%s", outcome.text.c_str());
    if (!outcome.good && arguments.minimize) {
      std::printf("  smallest: %s\n", command_of(minimized(first.options)).c_str());
    }
    std::fflush(stdout);
    if (outcome.good || !until_wrong) continue;
    if (quiet) std::printf("%s", outcome.text.substr(0, outcome.text.find('\n') + 1).c_str());
    while (!running.empty()) static_cast<void>(wait_for(take()));
    break;
  }
  return count;
}

/// Whether each mutation that is asked for was noticed.
bool all_noticed(Arguments arguments) {
  const bool all = arguments.life.mutation == kAllMutations;
  const auto names = all ? all_mutations() : std::vector{arguments.life.mutation};
  bool noticed = true;
  for (const std::string& name : names) {
    arguments.life.mutation = name;
    if (all) {
      arguments.life.troubles.clear();
      const std::string best = troubles_for(name);
      for (const std::string_view trouble : split(best, ',')) {
        arguments.life.troubles.emplace_back(trouble);
      }
    }
    const Count count = live_all(arguments, true, all);
    std::printf("%s: %s after %lu lives\n", name.c_str(),
                count.wrong > 0 ? "noticed" : "NOT NOTICED", count.lives);
    noticed = noticed && count.wrong > 0;
  }
  return noticed;
}

int run(const Arguments& arguments) {
  if (!arguments.life.mutation.empty()) {
    return all_noticed(arguments) ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  const auto began = std::time(nullptr);
  const Count count = live_all(arguments, false, false);
  std::printf("%lu lives, %lu wrong, %ld s\n", count.lives, count.wrong,
              std::time(nullptr) - began);
  return count.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  // Addresses are part of what must be the same each time.
  const int persona = ::personality(0xffffffff);
  if ((persona & ADDR_NO_RANDOMIZE) == 0) {
    ::personality(static_cast<unsigned long>(persona) | ADDR_NO_RANDOMIZE);
    ::execv("/proc/self/exe", argv);
  }
  ::mallopt(M_ARENA_MAX, 1);
  const auto arguments = parse_arguments(argc, argv);
  if (!arguments) {
    std::fprintf(stderr, "cluster_life: %s\n", arguments.error().what().c_str());
    return 2;
  }
  return run(*arguments);
}
