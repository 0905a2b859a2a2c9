// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/storm_clients.h"

#include "tests/fault/cluster/final_look.h"
#include "tests/fault/cluster/judge.h"
#include "tests/kit/history/history_file.h"

namespace aisfs::tests::scale {
namespace {

constexpr double kRateMax = 100;  // operations a second: two cores have other things to do

double rate_for(Duration time) {
  const double room = static_cast<double>(storm::kKeys) * storm::kOperationsOfKeyMax;
  return std::min(kRateMax, room / std::chrono::duration<double>(time).count());
}

}  // namespace

StormClients::StormClients(const storm::Nodes& nodes,
                           BucketName bucket,
                           std::size_t clients,
                           std::uint64_t seed,
                           Duration time)
    : ledger_(rate_for(time)) {
  ledger_.set_bucket(std::move(bucket));
  const Credentials keys = nodes.admin();
  for (std::uint32_t i = 0; i < clients; ++i) {
    threads_.emplace_back([this, &nodes, keys, i, seed] {
      storm::Doors doors([&nodes] { return nodes.endpoints(); }, keys);
      if (!doors.why_not().empty()) return ledger_.wrong("a client: " + doors.why_not());
      storm::Client(ledger_, doors, i, seed * 1000 + i).run();
    });
  }
}

Tally::Counts StormClients::take() {
  const auto now = ledger_.totals();
  const auto before = std::exchange(taken_, now);
  const std::size_t answered = now.answered - before.answered;
  return {.reads = answered,
          .retries = now.operations - before.operations - answered,
          .longest = ledger_.take_longest()};
}

void StormClients::end() {
  ledger_.end();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<std::string> StormClients::judge(storm::Doors& doors,
                                             const std::string& file,
                                             std::string& verdicts) {
  end();
  std::vector<std::string> wrong = storm::look_at_the_end(ledger_, doors);
  const auto operations = ledger_.history().operations();
  storm::Judgement judgement = storm::judge(operations, ledger_.repeatable(), true);
  for (std::string& line : judgement.wrong) wrong.push_back(std::move(line));
  for (std::string& line : ledger_.wrongs()) wrong.push_back(std::move(line));
  verdicts += (verdicts.empty() ? "" : "; ") + bucket().name + ": " +
              std::to_string(operations.size()) + " operations, " + judgement.verdicts;
  if (Status saved = history::save(file, operations); !saved) wrong.push_back(saved.error().what());
  return wrong;
}

}  // namespace aisfs::tests::scale
