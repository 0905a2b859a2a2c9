// SPDX-License-Identifier: MIT
// Real nodes, for the tests of this folder.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/kit/node_process.h"
#include "tests/kit/user.h"

namespace aisfs::tests {

namespace fs = std::filesystem;

class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    std::string path = "/tmp/aisfs-cluster-XXXXXX";
    dir_ = ::mkdtemp(path.data());
    key_ = make_key("cluster.key", 'a');
  }
  ~ClusterTest() override {
    nodes_.clear();
    fs::remove_all(dir_);
  }

  std::string make_key(const std::string& name, char digit) {
    const std::string file = dir_ + "/" + name;
    std::ofstream(file) << std::string(64, digit) << "\n";
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    return file;
  }

  NodeProcess& add(NodeProcess::Options options) {
    nodes_.push_back(std::make_unique<NodeProcess>(std::move(options)));
    return *nodes_.back();
  }
  NodeProcess& add_target(const std::string& name) {
    return add({.dir = dir_ + "/" + name, .key_file = key_, .join = nodes_.front()->at("control")});
  }
  NodeProcess& start_gateway() {
    auto& gateway = add({.dir = dir_ + "/g1", .role = "gateway", .key_file = key_});
    EXPECT_TRUE(gateway.start()) << gateway.log();
    return gateway;
  }
  void start_cluster(int targets) {
    start_gateway();
    for (int i = 1; i <= targets; ++i) {
      auto& target = add_target("t" + std::to_string(i));
      ASSERT_TRUE(target.start()) << target.log();
    }
  }
  Credentials admin() const { return admin_keys(dir_ + "/g1"); }
  NodeProcess& node(std::size_t i) { return *nodes_.at(i); }

  std::string dir_, key_;
  std::vector<std::unique_ptr<NodeProcess>> nodes_;
};

}  // namespace aisfs::tests
