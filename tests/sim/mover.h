// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/cluster/client.h"

namespace aisfs::tests::sim {

inline const BucketName kMovedBucket = native_bucket("moves");

/// A client with names of its own, two a round, that it renames, copies and uploads to in parts.
/// What they may be afterwards it knows: such an operation happens wholly or not at all.
///
/// One thread; look() when nobody breaks anything any more.
class Mover {
 public:
  Mover(std::uint32_t number, std::uint64_t seed);

  /// Rounds until the ledger says that it is over.
  void run(storm::Ledger& ledger, storm::Doors& doors);
  /// Reads what all rounds have left.
  void look(storm::Doors& doors);

  const std::vector<std::string>& wrong() const { return wrong_; }
  std::size_t rounds() const { return rounds_.size(); }

 private:
  using Value = std::string;  // a body; empty: there is no such object
  using Pair = std::pair<Value, Value>;
  struct Round {
    std::string a, b;
    std::string what;    // for people
    std::set<Pair> may;  // what the two may be
  };

  void rename(ObjectApi& api, storm::Doors& doors, Round& round);
  void copy(ObjectApi& api, storm::Doors& doors, Round& round);
  void upload(ObjectApi& api, storm::Doors& doors, Round& round);
  bool put(ObjectApi& api, storm::Doors& doors, const std::string& key, const Value& value);
  /// nullopt when nobody answers.
  std::optional<Value> get(ObjectApi& api,
                           storm::Doors& doors,
                           const std::string& key,
                           Duration time);
  /// Whether what the two are is one of what they may be.
  void check(
      ObjectApi& api, storm::Doors& doors, const Round& round, Duration time, bool all_answer);
  Value new_value(std::size_t bytes_max);
  Context within() { return tests::User::within(time_); }

  const std::uint32_t number_;
  storm::Random random_;
  Duration time_{};
  std::uint64_t next_name_ = 0;  // also of rounds that came to nothing
  std::vector<Round> rounds_;
  std::vector<std::string> wrong_;
  std::string why_;  // nobody answered, the last time
};

}  // namespace aisfs::tests::sim
