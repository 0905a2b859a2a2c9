// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/cluster/client.h"
#include "tests/fault/scale_out/tally.h"

namespace aisfs::tests::scale {

/// The clients of cluster_storm on a bucket of their own, with a history that is judged at the end.
/// Many of them give up soon, as there; what that leaves open the judge allows.
class StormClients {
 public:
  /// `time`: for which the history has room.
  StormClients(const storm::Nodes& nodes,
               BucketName bucket,
               std::size_t clients,
               std::uint64_t seed,
               Duration time);
  ~StormClients() { end(); }

  const BucketName& bucket() const { return ledger_.bucket(); }
  /// Since it was last asked: operations that were answered, as reads; that were given up, as
  /// retries.
  Tally::Counts take();
  void end();
  /// Ends it, looks at what is there now, and judges all. What is wrong, a line each; `verdicts`
  /// gets those of the checkers. The history is kept in `file`.
  std::vector<std::string> judge(storm::Doors& doors,
                                 const std::string& file,
                                 std::string& verdicts);

 private:
  storm::Ledger ledger_;
  storm::Ledger::Totals taken_;
  std::vector<std::thread> threads_;
};

}  // namespace aisfs::tests::scale
