// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::HasSubstr;

std::string complete(AisRunner& ais, const std::string& line) {
  return ais.run({"__complete", "--", line}).out;
}

TEST(Completion, CommandsAndTheirSubcommands) {
  AisRunner ais;
  EXPECT_EQ(complete(ais, "ais cr"), "create\n");
  EXPECT_EQ(complete(ais, "ais bucket props s"), "show\nset\n");
  EXPECT_EQ(complete(ais, "ais __"), "");
}

TEST(Completion, OptionsOfTheCommandAndOfTheProgram) {
  AisRunner ais;
  EXPECT_EQ(complete(ais, "ais ls --l"), "--long\n--limit\n");
  EXPECT_EQ(complete(ais, "ais ls --js"), "--json\n");
}

TEST(Completion, BucketsThenObjectsLevelByLevel) {
  AisRunner ais;
  ais.cluster.add_bucket("demo");
  ais.cluster.add_bucket("other");
  ais.cluster.store("demo", "a.txt", "1");
  ais.cluster.store("demo", "dir/x", "1");
  EXPECT_EQ(complete(ais, "ais cat de"), "demo/\n");
  EXPECT_EQ(complete(ais, "ais rmb "), "demo\nother\n");
  EXPECT_EQ(complete(ais, "ais cat ais"), "ais://demo/\nais://other/\n");
  EXPECT_EQ(complete(ais, "ais cat demo/"), "demo/a.txt\ndemo/dir/\n");
  EXPECT_EQ(complete(ais, "ais cat ais://demo/d"), "ais://demo/dir/\n");
  EXPECT_EQ(complete(ais, "ais put file demo/a"), "demo/a.txt\n");
  EXPECT_EQ(complete(ais, "ais put fi"), "");
}

TEST(Completion, IsSilentWhenTheClusterIsDown) {
  AisRunner ais;
  ais.refuse_connections(100, Errc::unreachable);
  const AisResult result = ais.run({"__complete", "--", "ais cat d"});
  EXPECT_EQ(result.out + result.err, "");
}

TEST(Completion, TheScriptIsForBash) {
  AisRunner ais;
  EXPECT_THAT(ais.run({"completion", "bash"}).out,
              HasSubstr("complete -o default -F _ais_complete ais"));
  EXPECT_EQ(ais.run({"completion", "fish"}).status, 1);
}

}  // namespace
}  // namespace aisfs::cli
