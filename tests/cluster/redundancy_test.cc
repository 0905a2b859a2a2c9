// SPDX-License-Identifier: MIT
// How much may be lost: of each object as many copies or slices as its bucket promises, in all
// combinations, and one more.
#include <algorithm>
#include <csignal>
#include <set>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "tests/cluster/real_nodes.h"

namespace aisfs::tests {
namespace {

/// Which of the holders of an object lose it.
using Losses = std::vector<std::size_t>;

/// All sets of `lost` of `all` holders.
std::vector<Losses> combinations(std::size_t all, std::size_t lost) {
  std::vector<Losses> found;
  std::vector<bool> chosen(all, false);
  std::fill_n(chosen.begin(), lost, true);
  do {
    Losses losses;
    for (std::size_t i = 0; i < all; ++i) {
      if (chosen[i]) losses.push_back(i);
    }
    found.push_back(std::move(losses));
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  return found;
}

class RedundancyTest : public ClusterTest {
 protected:
  static constexpr std::size_t kTargets = 6;

  static std::string body_of(std::size_t i) {
    std::string body(70'000 + 1000 * i, '\0');
    for (std::size_t at = 0; at < body.size(); ++at) {
      body[at] = static_cast<char>(xxh64(as_bytes(std::to_string(i * 7919 + at / 64))) >> at % 50);
    }
    return body;
  }
  static std::string key_of(std::size_t i) { return "k" + std::to_string(i); }

  static Status create(User& user, const std::string& bucket, BucketProps props) {
    const auto made =
        user.run(user.api().create_bucket(User::within(seconds(20)), native_bucket(bucket), props));
    return made ? Status() : Status(made.error());
  }

  /// The files that hold the object's bytes, one of each target that has any.
  std::vector<fs::path> files_of(const std::string& bucket, const std::string& key) {
    const std::string slice = "-" + to_hex(xxh64(as_bytes(key))) + ".";
    std::vector<fs::path> found;
    for (std::size_t target = 1; target <= kTargets; ++target) {
      const fs::path folder = dir_ + "/t" + std::to_string(target) + "/mp1/@ais/" + bucket;
      if (!fs::exists(folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const std::string path = entry.path();
        const bool whole = path.ends_with("/%ob/" + key);
        const bool part = path.find("/%ec/") != path.npos && path.find(slice) != path.npos;
        if (entry.is_regular_file() && (whole || part)) found.push_back(entry.path());
      }
    }
    return found;
  }

  /// While nothing runs: object i of the bucket loses its files by the i-th combination.
  void lose(const std::string& bucket, std::size_t holders, const std::vector<Losses>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto files = files_of(bucket, key_of(i));
      ASSERT_EQ(files.size(), holders) << bucket << " " << key_of(i);
      for (const std::size_t lost : all[i]) {
        away_.push_back({files[lost], dir_ + "/away" + std::to_string(away_.size())});
        fs::rename(away_.back().first, away_.back().second);
      }
    }
  }
  void bring_back() {
    for (const auto& [place, kept] : away_) fs::rename(kept, place);
    away_.clear();
  }

  void stop_all() {
    for (const auto& one : nodes_) EXPECT_EQ(one->signal_and_wait(SIGTERM), 0);
  }
  /// At the addresses that they had.
  void start_all() {
    for (const auto& one : nodes_) {
      std::vector<std::string> flags;
      for (const char* name : {"public", "s3", "control", "data"}) {
        flags.push_back(std::string("--net.") + name + "_port");
        flags.push_back(std::to_string(one->endpoint(name).port));
      }
      one->set_flags(std::move(flags));
      one->begin_start();
      if (one == nodes_.front()) ASSERT_TRUE(one->wait_started()) << one->log();
    }
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      ASSERT_TRUE(node(i).wait_started()) << node(i).log();
    }
  }

  /// Stops the cluster, loses `lost` of the holders of each object, in all combinations.
  struct Kept {
    const char* bucket;
    BucketProps props;
    std::size_t holders, losses;  // and how many may be lost
  };
  static std::vector<Kept> buckets() {
    Kept mirrored{"mirrored", {.copies = 3}, 3, 2};
    Kept sliced{"sliced", {}, 4, 2}, wide{"wide", {}, 6, 2};
    sliced.props.erasure = {.data = 2, .parity = 2, .least_bytes = 64 * 1024};
    wide.props.erasure = {.data = 4, .parity = 2, .least_bytes = 64 * 1024};
    return {mirrored, sliced, wide};
  }
  void fill(User& user, std::size_t more) {
    for (const Kept& kept : buckets()) {
      const Status made = create(user, kept.bucket, kept.props);
      ASSERT_TRUE(made.ok()) << made.error().what();
      for (std::size_t i = 0; i < combinations(kept.holders, kept.losses + more).size(); ++i) {
        const Status put = user.put(kept.bucket, key_of(i), body_of(i));
        ASSERT_TRUE(put.ok()) << put.error().what();
      }
    }
  }
  void lose_in_all(std::size_t more) {
    for (const Kept& kept : buckets()) {
      lose(kept.bucket, kept.holders, combinations(kept.holders, kept.losses + more));
    }
  }
  void expect_all(User& user, std::size_t more) {
    for (const Kept& kept : buckets()) {
      const std::size_t count = combinations(kept.holders, kept.losses + more).size();
      for (std::size_t i = 0; i < count; ++i) {
        const auto got = user.get(kept.bucket, key_of(i));
        ASSERT_TRUE(got.ok()) << kept.bucket << " " << key_of(i) << ": " << got.error().what();
        EXPECT_TRUE(*got == body_of(i)) << kept.bucket << " " << key_of(i);
      }
      EXPECT_EQ(user.count(kept.bucket), count) << kept.bucket;
    }
  }

 private:
  std::vector<std::pair<fs::path, fs::path>> away_;  // and where they are kept
};

TEST_F(RedundancyTest, WhateverMayBeLostIsReadFromTheRest) {
  start_cluster(kTargets);
  {
    User user(node(0), admin());
    ASSERT_NO_FATAL_FAILURE(fill(user, 0));
  }
  stop_all();
  ASSERT_NO_FATAL_FAILURE(lose_in_all(0));
  ASSERT_NO_FATAL_FAILURE(start_all());
  User user(node(0), admin());
  expect_all(user, 0);
}

TEST_F(RedundancyTest, OneLossMoreIsAnErrorAndNothingIsGivenUp) {
  start_cluster(kTargets);
  {
    User user(node(0), admin());
    ASSERT_NO_FATAL_FAILURE(fill(user, 1));
  }
  stop_all();
  ASSERT_NO_FATAL_FAILURE(lose_in_all(1));
  ASSERT_NO_FATAL_FAILURE(start_all());
  {
    User user(node(0), admin());
    for (const Kept& kept : buckets()) {
      const std::size_t count = combinations(kept.holders, kept.losses + 1).size();
      for (std::size_t i = 0; i < count; ++i) {
        const auto got = user.get(kept.bucket, key_of(i), seconds(2));
        ASSERT_FALSE(got.ok()) << kept.bucket << " " << key_of(i);
        EXPECT_NE(got.error(), Errc::not_found) << kept.bucket << " " << key_of(i);
      }
      EXPECT_EQ(user.count(kept.bucket), count) << kept.bucket;
    }
  }
  stop_all();
  bring_back();
  ASSERT_NO_FATAL_FAILURE(start_all());
  User user(node(0), admin());
  expect_all(user, 1);
}

}  // namespace
}  // namespace aisfs::tests
