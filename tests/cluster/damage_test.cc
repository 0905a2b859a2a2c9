// SPDX-License-Identifier: MIT
// Disks that change or lose files behind their targets' backs: readers do not notice, and the scrub
// makes all copies good again.
#include <csignal>

#include "tests/cluster/real_nodes.h"
#include "tests/unit/node/store/damage.h"

namespace aisfs::tests {
namespace {

class DamageTest : public ClusterTest {
 protected:
  static constexpr std::size_t kTargets = 3;
  static constexpr int kObjects = 60;

  static std::string key(int i) { return "k" + std::to_string(i); }
  static std::string body(int i) {
    return std::string(static_cast<std::size_t>(i) * 1000 + 5, 'x');
  }

  /// The files of the object, one of each target that has it.
  std::vector<std::string> files(int i) {
    std::vector<std::string> found;
    for (std::size_t target = 1; target <= kTargets; ++target) {
      const std::string file = store::file_of(dir_ + "/t" + std::to_string(target), key(i));
      if (!file.empty()) found.push_back(file);
    }
    return found;
  }
  /// In the way of the object's number.
  static void damage(const std::string& file, int i) {
    switch (i % 3) {
      case 0:
        return store::flip_bit(file, static_cast<std::uint64_t>(i));
      case 1:
        return store::flip_bit_of_xattr(file, 40);
      default:
        fs::remove(file);
    }
  }
  void restart_targets() {
    for (std::size_t target = 1; target <= kTargets; ++target) {
      node(target).signal_and_wait(SIGTERM);
      ASSERT_TRUE(node(target).start()) << node(target).log();
    }
  }
  /// A whole pass of one target.
  static Result<ScrubProgress> scrub(User& user, const std::string& id) {
    CHECK_OK(user.run(user.api().scrub(User::within(seconds(10)), id, ScrubAction::kStart)));
    const Deadline deadline = Deadline::after(seconds(60));
    for (;;) {
      TRY(ScrubProgress p,
          user.run(user.api().scrub(User::within(seconds(10)), id, ScrubAction::kShow)));
      if (!p.running) return p;
      if (deadline.expired()) return Error(Errc::timed_out, "the pass does not end");
    }
  }
};

TEST_F(DamageTest, ReadersGetTheRightBytesAndTheScrubHealsTheRest) {
  start_cluster(kTargets);
  {
    User user(node(0), admin());
    ASSERT_TRUE(user.create("data", 2).ok());
    for (int i = 0; i < kObjects; ++i) ASSERT_TRUE(user.put("data", key(i), body(i)).ok());
  }
  restart_targets();
  User user(node(0), admin());
  ASSERT_TRUE(user.why_not().empty()) << user.why_not();
  for (int i = 0; i < kObjects; ++i) {
    const auto copies = files(i);
    ASSERT_EQ(copies.size(), 2u) << key(i);
    damage(copies[static_cast<std::size_t>(i / 3 % 2)], i);
  }
  for (int i = 0; i < kObjects / 2; ++i) {
    const auto got = user.get("data", key(i));
    ASSERT_TRUE(got.ok()) << key(i) << ": " << got.error().what();
    EXPECT_TRUE(*got == body(i)) << key(i);
  }
  EXPECT_EQ(user.count("data"), static_cast<std::size_t>(kObjects));
  std::uint64_t objects = 0, healed = 0;
  for (std::size_t target = 1; target <= kTargets; ++target) {
    const auto p = scrub(user, node(target).at("node"));
    ASSERT_TRUE(p.ok()) << p.error().what();
    EXPECT_EQ(p->damaged, p->healed);
    EXPECT_TRUE(p->names.empty());
    objects += p->objects;
    healed += p->healed;
  }
  EXPECT_EQ(objects, 2u * kObjects);
  EXPECT_GE(healed, static_cast<std::uint64_t>(kObjects / 2)) << "those that nobody has read";
  for (int i = 0; i < kObjects; ++i) {
    const auto copies = files(i);
    ASSERT_EQ(copies.size(), 2u) << key(i);
    for (const std::string& file : copies) {
      std::ifstream in(file, std::ios::binary);
      EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(in), {}) == body(i)) << file;
    }
  }
}

}  // namespace
}  // namespace aisfs::tests
