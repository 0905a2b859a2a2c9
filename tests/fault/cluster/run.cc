// SPDX-License-Identifier: MIT
#include "tests/fault/cluster/run.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "tests/fault/cluster/final_look.h"
#include "tests/fault/cluster/judge.h"
#include "tests/fault/cluster/nemesis.h"
#include "tests/fault/cluster/wires.h"
#include "tests/kit/history/history_file.h"

namespace aisfs::tests::storm {
namespace {

// These need more than processes on a loopback.
const std::string kPartition = "partition", kClock = "clock";

bool has(const RunOptions& options, const std::string& nemesis) {
  return std::ranges::find(options.nemeses, nemesis) != options.nemeses.end();
}

// Below it a run says little of what the cluster does in trouble.
constexpr double kAnsweredShareMin = 0.3;

/// Each part of a run draws for itself, so that one more number here changes nothing there.
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return Random(seed * 0x9E3779B97F4A7C15ull + part)();
}
enum Part : std::uint64_t { kShape = 1, kPick = 2, kNemesis = 100, kClients = 1000 };

Shape draw_shape(std::uint64_t seed) {
  Random random(seed_of(seed, kShape));
  Shape shape{.gateways = draw(random, 1, 3), .targets = draw(random, 3, 6)};
  shape.etcd = shape.gateways > 1 && draw(random, 0, 1) == 1;
  return shape;
}

/// The clients of a run, from when they are connected until they are told to end.
class Crowd {
 public:
  Crowd(const RunOptions& options, const Nodes& nodes, Ledger& ledger) : ledger_(ledger) {
    const Credentials keys = nodes.admin();
    for (std::uint32_t i = 0; i < options.clients; ++i) {
      const std::uint64_t seed = seed_of(options.seed, kClients + i);
      threads_.emplace_back([this, &nodes, keys, i, seed] { run(nodes, keys, i, seed); });
    }
  }
  ~Crowd() { end(); }

  void end() {
    ledger_.end();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void run(const Nodes& nodes, const Credentials& keys, std::uint32_t number, std::uint64_t seed) {
    Doors doors([&nodes] { return nodes.endpoints(); }, keys);
    if (!doors.why_not().empty()) return ledger_.wrong("a client: " + doors.why_not());
    Client(ledger_, doors, number, seed).run();
  }

  Ledger& ledger_;
  std::vector<std::thread> threads_;
};

/// The nemeses in turns until the time is over, then none.
class Trouble {
 public:
  Trouble(const RunOptions& options, Nodes& nodes, Wires* wires) : nodes_(nodes) {
    for (const std::string& name : options.nemeses) {
      const std::uint64_t seed = seed_of(options.seed, kNemesis + all_.size());
      all_.push_back({name == kPartition ? make_partition(nodes, *wires, seed)
                      : name == kClock   ? make_clock(nodes, seed)
                                         : make_nemesis(name, nodes, seed),
                      {}});
    }
  }

  Status run_until(TimePoint end) {
    const TimePoint began = std::chrono::steady_clock::now();
    for (One& one : all_) one.due = began + std::chrono::milliseconds(500);
    for (;;) {
      const auto next = std::ranges::min_element(all_, {}, &One::due);
      std::this_thread::sleep_until(std::min(end, next == all_.end() ? end : next->due));
      CHECK_OK(all_run());
      if (next == all_.end() || next->due >= end) return {};
      TRY(const Duration pause, next->nemesis->step());
      next->due = std::chrono::steady_clock::now() + pause;
    }
  }

  Status heal() {
    for (One& one : all_) CHECK_OK(one.nemesis->heal());
    return all_run();
  }

  std::size_t deeds() const {
    std::size_t sum = 0;
    for (const One& one : all_) sum += one.nemesis->deeds();
    return sum;
  }
  std::string done() const {
    std::string text;
    for (const One& one : all_) {
      const std::string part = one.nemesis->done();
      text += (text.empty() || part.empty() ? "" : "; ") + part;
    }
    return text;
  }

 private:
  struct One {
    std::unique_ptr<Nemesis> nemesis;
    TimePoint due;
  };

  Status all_run() {
    for (const std::string& crash : nodes_.crashed()) return Error(Errc::internal, crash);
    return {};
  }

  Nodes& nodes_;
  std::vector<One> all_;
};

/// The storm itself, up to the last look.
Status blow(
    const RunOptions& options, Nodes& nodes, Wires* wires, Ledger& ledger, RunResult& result) {
  Doors doors([&nodes] { return nodes.endpoints(); }, nodes.admin());
  if (!doors.why_not().empty()) return Error(Errc::unreachable, doors.why_not());
  BucketProps props{.copies = options.copies};
  props.erasure = options.erasure;
  auto made = doors.run(
      doors.straight().create_bucket(User::within(seconds(20)), kBucket, std::move(props)));
  if (!made) return std::move(made).error();
  Trouble trouble(options, nodes, wires);
  Status survived;
  {
    Crowd crowd(options, nodes, ledger);
    survived = trouble.run_until(std::chrono::steady_clock::now() + options.time);
  }
  if (survived) survived = trouble.heal();
  result.done = trouble.done();
  result.deeds = trouble.deeds();
  result.totals = ledger.totals();
  CHECK_OK(std::move(survived));
  for (std::string& line : look_at_the_end(ledger, doors)) result.wrong.push_back(std::move(line));
  return {};
}

/// In which the links are ours; none when nobody cuts them.
Result<std::unique_ptr<Wires>> make_wires(const RunOptions& options) {
  if (!has(options, kPartition)) return std::unique_ptr<Wires>();
  return Wires::make();
}

Status storm(const RunOptions& options, Ledger& ledger, RunResult& result) {
  TRY(const auto wires, make_wires(options));
  if (wires) result.shape.etcd = false;  // it serves the loopback alone
  if (has(options, kClock)) {
    result.shape.clock_library = AISFS_CLOCK_LIBRARY;
    // No signature is good by a clock that is wrong.
    ledger.forgive(Errc::unauthenticated);
    ledger.forgive(Errc::invalid_argument);
  }
  Nodes::FindHome home;
  if (wires) home = [&wires](const std::string& name) { return wires->add(name); };
  Nodes nodes(options.dir, result.shape, std::move(home));
  Status done = nodes.start();
  if (done) done = blow(options, nodes, wires.get(), ledger, result);
  for (std::string& crash : nodes.crashed()) result.wrong.push_back(std::move(crash));
  return done;
}

}  // namespace

bool is_trouble(std::string_view name) {
  return name == kPartition || name == kClock || is_nemesis(name);
}

std::vector<std::string> draw_nemeses(std::uint64_t seed) {
  const auto& all = usual_nemeses();
  Random random(seed_of(seed, kPick));
  std::vector<std::string> drawn{all[random() % all.size()]};
  const std::string& other = all[random() % all.size()];
  const bool pair = other != drawn[0] && other != "none" && drawn[0] != "none";
  if (pair) drawn.push_back(other);
  return drawn;
}

RunResult run_storm(const RunOptions& options) {
  RunResult result{.shape = draw_shape(options.seed)};
  const double time = std::chrono::duration<double>(options.time).count();
  Ledger ledger(static_cast<double>(kKeys * kOperationsOfKeyMax) / time);
  ledger.set_uploads();
  if (const Status done = storm(options, ledger, result); !done) {
    result.wrong.push_back(done.error().what());
  }
  const auto operations = ledger.history().operations();
  Judgement judgement = judge(operations, ledger.repeatable(), options.strict);
  result.verdicts = std::move(judgement.verdicts);
  result.repeated = std::move(judgement.repeated);
  for (std::string& line : judgement.wrong) result.wrong.push_back(std::move(line));
  for (std::string& line : ledger.wrongs()) result.wrong.push_back(std::move(line));
  if (result.answered_share() < kAnsweredShareMin) {
    result.wrong.push_back("less than 30 % of the operations were answered");
  }
  result.history_file = options.dir + "/history";
  if (Status saved = history::save(result.history_file, operations); !saved) {
    result.wrong.push_back(saved.error().what());
  }
  return result;
}

}  // namespace aisfs::tests::storm
