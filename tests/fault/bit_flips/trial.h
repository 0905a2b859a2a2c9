// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/fault/bit_flips/stock.h"

namespace aisfs::tests::flips {

struct Counts {
  std::array<std::array<std::size_t, kWays>, kPlaces> flips{};
  std::size_t rounds = 0;
  std::size_t healed = 0;   // copies that scrubs made good; readers made others good
  std::size_t refused = 0;  // starts of a node with a damaged file of its own
  std::size_t latent = 0;   // a node's own files that work on with the damage in them

  std::size_t all() const;
};

/// A cluster whose nodes are stopped, damaged and started again, round by round.
class Trial {
 public:
  struct Options {
    std::size_t objects = 100;
    std::uint64_t seed = 1;
    bool lose_index = false;  // together with damage of the log
  };
  Trial(std::string dir, Options options);
  ~Trial();

  Status begin();
  /// So many flips in objects, and some in files of one node's own. What is wrong then; an error is
  /// wrong as well.
  std::vector<std::string> round(std::size_t flips);

  const Counts& counts() const { return counts_; }
  std::size_t reads() const { return stock_.reads(); }

 private:
  static constexpr std::size_t kTargets = 5;

  Status stop_all();
  Status start(std::size_t node);
  Status wait_started(std::size_t node);
  Status start_all();
  std::vector<std::map<std::string, std::vector<File>>> files_of_objects() const;
  void harm_objects(std::size_t flips);
  void harm_file(const File& file,
                 const std::map<std::string, std::vector<File>>& by_object,
                 std::size_t node,
                 std::size_t most);
  void harm_node();
  Status make_node_good();
  void note(Result<Harm> harm);
  Result<ScrubProgress> scrub(std::size_t target);
  bool is_healed(const Harm& harm) const;
  std::vector<std::string> scrub_until_clean();
  std::vector<std::string> run_round(std::size_t flips);

  const std::string dir_;
  const Options options_;
  Random random_;
  Stock stock_;
  std::string key_file_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;  // the gateway first
  std::unique_ptr<User> user_;
  Counts counts_;

  // Of a round:
  std::optional<std::size_t> sick_;  // the node whose own files are damaged
  std::vector<Harm> harms_, own_harms_;
  std::map<std::string, std::set<std::size_t>> damaged_;  // nodes by object
};

}  // namespace aisfs::tests::flips
