// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/aisfs/cli/ais_runner.h"

namespace aisfs::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(AisBuckets, CreateListShowAndDestroy) {
  AisRunner ais;
  EXPECT_EQ(ais.run({"create", "ais://demo"}).out,
            "\"ais://demo\" created, with one copy of each object: all targets are on one host\n");
  EXPECT_THAT(ais.run({"ls"}).out, HasSubstr("ais://demo"));
  EXPECT_THAT(ais.run({"show", "bucket", "demo"}).out, HasSubstr("write_level  full"));
  EXPECT_EQ(ais.run({"rmb", "demo"}).out, "\"ais://demo\" destroyed\n");
  EXPECT_THAT(ais.run({"ls"}).err, StartsWith("No buckets in the cluster."));
}

TEST(AisBuckets, ErrorsHaveASentenceARemedyAndTheirOwnStatus) {
  AisRunner ais;
  ais.cluster.add_bucket("demo");
  ais.cluster.store("demo", "x", "1");
  const AisResult full = ais.run({"rmb", "demo"});
  EXPECT_EQ(full.status, 6);
  EXPECT_THAT(full.err, HasSubstr("remedy: "));
  EXPECT_EQ(ais.run({"create", "demo"}).status, 6);
  EXPECT_EQ(ais.run({"show", "bucket", "nothing"}).status, 3);
  EXPECT_EQ(ais.run({"create", "no/bucket"}).status, 2);
  EXPECT_EQ(ais.run({"rmb", "-f", "demo"}).status, 0);
}

TEST(AisBuckets, PropertiesAreSetByName) {
  AisRunner ais;
  ais.cluster.add_bucket("demo");
  EXPECT_EQ(
      ais.run({"bucket", "props", "set", "demo", "write_level=data", "verify_read=always"}).status,
      0);
  const AisResult shown = ais.run({"bucket", "props", "show", "demo", "--json"});
  EXPECT_THAT(shown.out, HasSubstr("\"write_level\":\"data\""));
  EXPECT_THAT(shown.out, HasSubstr("\"verify_read\":\"always\""));
  const AisResult wrong = ais.run({"bucket", "props", "set", "demo", "write_level=hard"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("write_level must be none, data or full"));
  EXPECT_THAT(ais.run({"bucket", "props", "set", "demo", "nme=1"}).err,
              HasSubstr("copies, disk_copies, write_level"));
}

TEST(AisBuckets, CopiesOnDisksAreANumberFromOneToEight) {
  AisRunner ais;
  ASSERT_EQ(ais.run({"create", "--props", "disk_copies=2", "demo"}).status, 0);
  const auto props = [&] { return ais.run({"bucket", "props", "show", "demo", "--json"}).out; };
  EXPECT_THAT(props(), HasSubstr("\"disk_copies\":2,"));
  EXPECT_EQ(ais.run({"bucket", "props", "set", "demo", "disk_copies=8"}).status, 0);
  EXPECT_EQ(ais.run({"bucket", "props", "set", "demo", "copies=2"}).status, 0);
  EXPECT_THAT(props(), HasSubstr("\"disk_copies\":8,"));
  for (const char* value : {"0", "9", "two", ""}) {
    const AisResult wrong =
        ais.run({"bucket", "props", "set", "demo", std::string("disk_copies=") + value});
    EXPECT_EQ(wrong.status, 2) << value;
    EXPECT_THAT(wrong.err, HasSubstr("disk_copies must be 1 to 8")) << value;
  }
  EXPECT_THAT(ais.run({"bucket", "props", "show", "demo"}).out, HasSubstr("disk_copies  8"));
}

TEST(AisUsers, TheSecretIsShownOnceAtCreation) {
  AisRunner ais;
  const AisResult made =
      ais.run({"user", "create", "alice", "--access-key", "AK", "--secret-key", "SK"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("AWS_SECRET_ACCESS_KEY="));
  const AisResult listed = ais.run({"user", "ls"});
  EXPECT_THAT(listed.out, HasSubstr("alice"));
  EXPECT_EQ(listed.out.find("SK"), std::string::npos);
  EXPECT_EQ(ais.run({"user", "rm", "alice"}).status, 0);
}

TEST(AisToken, IsTheOnlyThingOnStandardOutput) {
  AisRunner ais;
  const AisResult made = ais.run({"token", "create", "--lifetime", "1h"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(std::count(made.out.begin(), made.out.end(), '\n'), 1);
  EXPECT_EQ(ais.run({"token", "create", "--lifetime", "soon"}).status, 2);
}

TEST(AisWait, TriesAgainUntilTheClusterIsThere) {
  AisRunner ais;
  ais.refuse_connections(2, Errc::unreachable);
  const AisResult waited = ais.run({"wait", "--targets", "0", "--for", "30s"});
  EXPECT_EQ(waited.status, 0) << waited.err;
  EXPECT_THAT(waited.out, StartsWith("the cluster is ready"));
}

TEST(AisWait, GivesUpAtItsTimeAndAtOnceWithWrongKeys) {
  AisRunner ais;
  ais.refuse_connections(1'000'000, Errc::unreachable);
  EXPECT_EQ(ais.run({"wait", "--for", "300ms"}).status, 5);
  ais.refuse_connections(1, Errc::unauthenticated);
  EXPECT_EQ(ais.run({"wait", "--for", "60s"}).status, 4);
}

TEST(AisUsage, HelpIsAResultAndAMistakeIsNot) {
  AisRunner ais;
  const AisResult help = ais.run({"put", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  const AisResult wrong = ais.run({"ptu", "x"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_EQ(ais.run({}).status, 2);
  EXPECT_EQ(ais.run({"ls", "--timeout", "never"}).status, 2);
}

TEST(AisShow, ClusterSaysWhatItIs) {
  AisRunner ais;
  const AisResult shown = ais.run({"show", "cluster"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("Cluster map:"));
  EXPECT_THAT(ais.run({"--json", "show", "cluster"}).out, StartsWith("{\"uuid\":"));
}

}  // namespace
}  // namespace aisfs::cli
