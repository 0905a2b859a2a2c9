// SPDX-License-Identifier: MIT
#include "tests/sim/life.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "tests/fault/cluster/client.h"
#include "tests/fault/cluster/final_look.h"
#include "tests/fault/cluster/judge.h"
#include "tests/kit/history/history_file.h"
#include "tests/sim/mover.h"
#include "tests/sim/mutations.h"
#include "tests/sim/simulation.h"
#include "tests/sim/troubles.h"

namespace aisfs::tests::sim {
namespace {

using storm::draw;
using storm::Random;

constexpr const char* kFolder = "/tmp/aisfs-sim";

/// Each part of a life draws for itself, so that one more number here changes nothing there.
enum Part : std::uint64_t {
  kShape = 1,
  kScheduler,
  kTroubles,
  kWork,
  kTrouble = 100,
  kClients = 1000,
  kMovers = 2000
};
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return Random(seed * 0x9E3779B97F4A7C15ull + part)();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

/// The clients, from when they are connected until they are told to end.
class Crowd {
 public:
  Crowd(const LifeOptions& options,
        const storm::Nodes& nodes,
        storm::Ledger& ledger,
        std::vector<std::unique_ptr<Mover>>& movers)
      : ledger_(ledger) {
    const Credentials keys = nodes.admin();
    for (std::uint32_t i = 0; i < options.clients; ++i) {
      const std::uint64_t seed = seed_of(options.seed, kClients + i);
      threads_.emplace_back([this, &nodes, keys, i, seed] { run(nodes, keys, i, seed); });
    }
    for (const auto& mover : movers) {
      threads_.emplace_back([this, &nodes, keys, &mover] {
        storm::Doors doors([&nodes] { return nodes.endpoints(); }, keys);
        if (doors.why_not().empty()) mover->run(ledger_, doors);
      });
    }
  }
  ~Crowd() {
    ledger_.end();
    for (auto& thread : threads_) thread.join();
  }

 private:
  void run(const storm::Nodes& nodes,
           const Credentials& keys,
           std::uint32_t number,
           std::uint64_t seed) {
    storm::Doors doors([&nodes] { return nodes.endpoints(); }, keys);
    if (!doors.why_not().empty()) return;  // the network may be cut at this moment
    storm::Client(ledger_, doors, number, seed).run();
  }

  storm::Ledger& ledger_;
  std::vector<std::thread> threads_;
};

/// All troubles in turns until the time is over, then none.
class Troubles {
 public:
  Troubles(const LifeOptions& options, storm::Nodes& nodes) : nodes_(nodes) {
    for (const std::string& name : options.troubles) {
      const std::uint64_t seed = seed_of(options.seed, kTrouble + all_.size());
      all_.push_back({make_trouble(name, nodes, seed), {}});
    }
  }

  Status run_until(TimePoint end) {
    const TimePoint began = std::chrono::steady_clock::now();
    for (One& one : all_) one.due = began + std::chrono::milliseconds(200);
    for (;;) {
      const auto next = std::ranges::min_element(all_, {}, &One::due);
      std::this_thread::sleep_until(std::min(end, next->due));
      CHECK_OK(all_run());
      if (next->due >= end) return {};
      TRY(const Duration pause, next->trouble->step());
      next->due = std::chrono::steady_clock::now() + pause;
    }
  }

  /// Nodes last: who starts asks others.
  Status heal() {
    for (auto one = all_.rbegin(); one != all_.rend(); ++one) CHECK_OK(one->trouble->heal());
    for (const One& one : all_) CHECK_OK(one.trouble->repair());
    return all_run();
  }

  std::string done() const {
    std::string text;
    for (const One& one : all_) {
      const std::string part = one.trouble->done();
      text += (text.empty() || part.empty() ? "" : "; ") + part;
    }
    return text;
  }

 private:
  struct One {
    std::unique_ptr<storm::Nemesis> trouble;
    TimePoint due;
  };

  Status all_run() {
    for (const std::string& crash : nodes_.crashed()) return Error(Errc::internal, crash);
    return {};
  }

  storm::Nodes& nodes_;
  std::vector<One> all_;
};

Status make_bucket(storm::Doors& doors, const BucketName& name, const LifeOptions& options) {
  if (!doors.why_not().empty()) return Error(Errc::unreachable, doors.why_not());
  BucketProps props{.copies = options.copies};
  props.disk_copies = options.disk_copies;
  CHECK_OK(parse_geometry(options.slices, props.erasure));
  props.erasure.least_bytes = 1500;  // so that most objects are split
  auto made = doors.run(
      doors.straight().create_bucket(tests::User::within(seconds(20)), name, std::move(props)));
  return made ? Status() : Status(std::move(made).error());
}

/// The life itself, up to the last look.
Status pass(const LifeOptions& options,
            storm::Nodes& nodes,
            storm::Ledger& ledger,
            LifeResult& result) {
  storm::Doors doors([&nodes] { return nodes.endpoints(); }, nodes.admin());
  CHECK_OK(make_bucket(doors, storm::kBucket, options));
  CHECK_OK(make_bucket(doors, kMovedBucket, options));
  begin_mutation(options.mutation);
  // No signature is good by a clock that is wrong.
  if (std::ranges::find(options.troubles, "clock") != options.troubles.end()) {
    ledger.forgive(Errc::unauthenticated);
    ledger.forgive(Errc::invalid_argument);
  }
  if (nodes.shape().mountpaths > 1) {  // and some of them are bad
    ledger.forgive(Errc::io);
    ledger.forgive(Errc::read_only);
    ledger.forgive(Errc::no_space);
  }
  Troubles troubles(options, nodes);
  std::vector<std::unique_ptr<Mover>> movers;
  for (std::uint32_t i = 0; i < options.movers; ++i) {
    movers.push_back(std::make_unique<Mover>(i, seed_of(options.seed, kMovers + i)));
  }
  Status survived;
  {
    Crowd crowd(options, nodes, ledger, movers);
    survived = troubles.run_until(std::chrono::steady_clock::now() + options.time);
  }
  if (survived) survived = troubles.heal();
  result.done = troubles.done();
  CHECK_OK(std::move(survived));
  for (std::string& line : storm::look_at_the_end(ledger, doors)) {
    result.wrong.push_back(std::move(line));
  }
  for (const auto& mover : movers) {
    mover->look(doors);
    result.moves += mover->rounds();
    result.wrong.insert(result.wrong.end(), mover->wrong().begin(), mover->wrong().end());
  }
  return {};
}

/// What was done to the keys that a line names, the last of it.
std::string last_of_keys_in(const std::string& line, const history::Operations& operations) {
  constexpr std::size_t kShown = 14;
  std::string text;
  for (auto [key, all] : history::by_key(operations)) {
    std::erase_if(all, [](const auto* op) { return op->client == storm::kLookingClient; });
    const auto at = line.find(key);
    const bool named = at != std::string::npos && (at == 0 || line[at - 1] == ' ');
    if (!named) continue;
    for (std::size_t i = all.size() - std::min(kShown, all.size()); i < all.size(); ++i) {
      text += "\n  " + history::to_line(*all[i]);
    }
  }
  return text;
}

}  // namespace

LifeOptions drawn(LifeOptions options) {
  Random random(seed_of(options.seed, kShape));
  const auto set = [&random](auto& value, std::size_t low, std::size_t high) {
    const std::size_t drawn_value = draw(random, low, high);
    if (value == 0) value = static_cast<std::remove_reference_t<decltype(value)>>(drawn_value);
  };
  set(options.gateways, 1, 3);
  set(options.targets, 3, 5);
  set(options.clients, 3, 8);
  set(options.keys, 3, 12);
  set(options.copies, 1, 2);
  const auto time = std::chrono::seconds(draw(random, 15, 35));
  const std::string codes[] = {"off", "off", "2+1", options.targets > 3 ? "2+2" : "1+1"};
  const std::string& code = codes[draw(random, 0, std::size(codes) - 1)];
  if (options.slices.empty()) options.slices = code;
  if (options.time == Duration{}) options.time = time;
  set(options.movers, 1, 2);
  if (options.troubles.empty()) {
    options.troubles = draw_troubles(seed_of(options.seed, kTroubles), options.copies);
  }
  return options;
}

LifeResult live(const LifeOptions& options) {
  LifeResult result;
  result.shape =
      joined(options.troubles) + ": " + std::to_string(options.gateways) + " gateways, " +
      std::to_string(options.targets) + " targets, copies " + std::to_string(options.copies) +
      (options.disk_copies == 1 ? "" : " on " + std::to_string(options.disk_copies) + " disks") +
      (options.slices == "off" ? "" : ", slices " + options.slices);
  begin_simulation(seed_of(options.seed, kScheduler), options.verbose);
  Random random(seed_of(options.seed, kWork));
  const double rate = static_cast<double>(draw(random, 15, 80));
  storm::Ledger ledger(rate, options.keys);
  ledger.set_listings(draw(random, 2, 15));
  const bool bad_disks = std::ranges::find(options.troubles, "disk") != options.troubles.end();
  // For ever, as all of the simulation.
  auto* nodes = new storm::Nodes(kFolder, {.gateways = options.gateways,
                                           .targets = options.targets,
                                           .etcd = false,
                                           .mountpaths = bad_disks ? 2ul : 1ul});
  Status done = nodes->start();
  if (done) done = pass(options, *nodes, ledger, result);
  if (!done) result.wrong.push_back(done.error().what());
  for (std::string& crash : nodes->crashed()) result.wrong.push_back(std::move(crash));
  const auto operations = ledger.history().operations();
  for (std::string& line : result.wrong) line += last_of_keys_in(line, operations);
  storm::Judgement judgement = storm::judge(operations, ledger.repeatable(), true);
  for (std::string& line : judgement.wrong) result.wrong.push_back(std::move(line));
  for (std::string& line : ledger.wrongs()) result.wrong.push_back(std::move(line));
  const Scheduler& scheduler = *Scheduler::current();
  result.operations = ledger.totals().operations;
  result.answered = ledger.totals().answered;
  result.trace = scheduler.trace();
  result.switches = scheduler.switches();
  result.disk_steps = Disk::current()->steps();
  result.messages = Network::current()->messages();
  result.lasted = static_cast<double>(scheduler.now()) / 1e9 - 1000;
  return result;
}

}  // namespace aisfs::tests::sim
