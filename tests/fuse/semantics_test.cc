// SPDX-License-Identifier: MIT
// Runs the examples of aisfs-semantics(7) on a mount: in every .EX block the lines that begin with
// "$ " are commands, what follows is what they print. All blocks run in one bucket, in order.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/kit/mount_fixture.h"

namespace aisfs::tests {
namespace {

struct Example {
  std::string command, expected;
  int line = 0;
};

std::string plain(std::string text) {
  for (const auto& [troff, is] : {std::pair{"\\-", "-"}, {"\\e", "\\"}, {"\\(aq", "'"}, {"\\&", ""}}) {
    for (std::size_t at; (at = text.find(troff)) != text.npos;) {
      text.replace(at, std::strlen(troff), is);
    }
  }
  return text;
}

std::vector<Example> examples_of(const std::string& page) {
  std::ifstream file(page);
  std::vector<Example> out;
  std::string line;
  bool inside = false;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line == ".EX" || line == ".EE") {
      inside = line == ".EX";
    } else if (inside && line.starts_with("$ ")) {
      out.push_back({plain(line.substr(2)), "", number});
    } else if (inside && !out.empty()) {
      out.back().expected += plain(line) + "\n";
    }
  }
  return out;
}

std::string output_of(const std::string& folder, const std::string& command) {
  const std::string all = "cd '" + folder + "' && (" + command + ") 2>&1";
  FILE* pipe = ::popen(all.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof(buffer), pipe)) out.append(buffer, n);
  ::pclose(pipe);
  return out;
}

TEST(AisfsSemantics, EveryExampleOfTheManPageIsTrue) {
  FakeCluster cluster;
  cluster.add_bucket("demo");
  cluster.store("demo", "data/2024/a.txt", "from s3\n");
  cluster.store("demo", "both", "a file\n");
  cluster.store("demo", "both/below", "and a directory\n");
  MountFixture mount(cluster);
  const auto examples = examples_of(AISFS_MAN "/aisfs-semantics.7");
  ASSERT_GE(examples.size(), 15u);
  for (const Example& example : examples) {
    EXPECT_EQ(output_of(mount.path("demo"), example.command), example.expected)
        << "aisfs-semantics.7:" << example.line << ": " << example.command;
  }
}

}  // namespace
}  // namespace aisfs::tests
