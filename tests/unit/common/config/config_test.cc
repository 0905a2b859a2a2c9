// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "common/config/doc.h"
#include "common/config/file.h"

namespace aisfs::config {
enum class Mode : std::uint8_t { kFast, kSafe };
template <>
struct Names<Mode> {
  static constexpr std::string_view kNames[] = {"fast", "safe"};
};

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ReadaheadConfig : Section {
  using Section::Section;
  Param<Bytes> window_max{this,
                          "window_max",
                          64_MiB_size,
                          Apply::kHot,
                          "Largest window of one open file.",
                          in_range<1_MiB_size, 1_GiB_size>()};
  Param<Duration> idle{this, "idle", 30s, Apply::kHot, "Forget an idle window after this."};
};
struct MountConfig : Section {
  Param<std::string> name{this, "name", "", Apply::kRestart, "What it is called."};
  Param<StringList> paths{this, "paths", {}, Apply::kRestart, "Where it stores."};
  Param<std::int64_t> threads{
      this, "threads", 2, Apply::kRestart, "Threads.", in_range<std::int64_t{1}, std::int64_t{64}>()};
  Param<bool> verbose{this, "verbose", false, Apply::kHot, "Says more."};
  Param<Mode> mode{this, "mode", Mode::kSafe, Apply::kHot, "fast or safe."};
  ReadaheadConfig readahead{this, "readahead"};
};

std::string error_of(const Status& status) { return status ? "" : status.error().what(); }

TEST(ConfigText, UnitsAreRequiredAndShownInTheLargestThatDivides) {
  EXPECT_EQ(Text<Bytes>::parse("64MiB")->count, 64u << 20);
  EXPECT_EQ(Text<Bytes>::parse("1536 KiB")->count, 1536u << 10);
  EXPECT_FALSE(Text<Bytes>::parse("64"));
  EXPECT_FALSE(Text<Bytes>::parse("MiB"));
  EXPECT_FALSE(Text<Bytes>::parse("99999999999999TiB"));
  EXPECT_EQ(Text<Bytes>::show({1536 << 10}), "1536KiB");
  EXPECT_EQ(*Text<Duration>::parse("5s"), 5s);
  EXPECT_EQ(*Text<Duration>::parse("250ms"), 250ms);
  EXPECT_FALSE(Text<Duration>::parse("-5s"));
  EXPECT_EQ(Text<Duration>::show(90s), "90s");
  EXPECT_EQ(Text<Duration>::show(120s), "2min");
}

TEST(ConfigFile, SectionsDottedKeysQuotesAndComments) {
  MountConfig config;
  const auto status = apply_text(config,
                                 "# a comment\n"
                                 "name = \"a # b\"  # another\n"
                                 "paths = /a, /b\n"
                                 "readahead.idle = 1min\r\n"
                                 "mode = fast\n"
                                 "[readahead]\n"
                                 "window_max = 32MiB\n",
                                 "f.conf");
  ASSERT_TRUE(status) << error_of(status);
  EXPECT_EQ(config.name(), "a # b");
  EXPECT_THAT(config.paths(), ElementsAre("/a", "/b"));
  EXPECT_EQ(config.readahead.idle(), 60s);
  EXPECT_EQ(config.readahead.window_max(), 32_MiB_size);
  EXPECT_EQ(config.mode(), Mode::kFast);
}

TEST(ConfigFile, ErrorsNameFileLineKeyAndRange) {
  MountConfig config;
  EXPECT_EQ(error_of(apply_text(config, "\n[readahead]\nwindow_max = 2GiB\n", "f.conf")),
            "f.conf:3: readahead.window_max: must be 1MiB to 1GiB, got 2GiB");
  EXPECT_EQ(error_of(apply_text(config, "readahead.widow_max = 2MiB", "f.conf")),
            "f.conf:1: no such setting: readahead.widow_max; did you mean readahead.window_max?");
  EXPECT_EQ(error_of(apply_text(config, "mode = slow", "f.conf")),
            "f.conf:1: mode: expected fast or safe, got \"slow\"");
  EXPECT_EQ(error_of(apply_text(config, "threads = 1\nthreads = 2", "f.conf")),
            "f.conf:2: threads is set twice");
  EXPECT_EQ(error_of(apply_text(config, "name", "f.conf")),
            "f.conf:1: expected key = value or [section]");
  EXPECT_EQ(config.readahead.window_max(), 64_MiB_size);
}

TEST(ConfigFile, AMissingFileIsNamed) {
  MountConfig config;
  const auto status = apply_file(config, "/nonexistent/f.conf");
  EXPECT_THAT(error_of(status), HasSubstr("/nonexistent/f.conf"));
}

TEST(ConfigOverrides, FlagsWinOverTheEnvironmentOverTheFile) {
  MountConfig config;
  ASSERT_TRUE(apply_text(config, "threads = 3\nname = file\n", "f"));
  ASSERT_TRUE(apply_environment(
      config, "AISX_", {"AISX_THREADS=4", "AISX_READAHEAD_IDLE=9s", "HOME=/"}));
  const auto rest =
      apply_arguments(config, {"--threads=5", "--verbose", "go", "--readahead.window-max", "2MiB"});
  ASSERT_TRUE(rest);
  EXPECT_THAT(*rest, ElementsAre("go"));
  EXPECT_EQ(config.threads(), 5);
  EXPECT_EQ(config.readahead.idle(), 9s);
  EXPECT_EQ(config.readahead.window_max(), 2_MiB_size);
  EXPECT_TRUE(config.verbose());
  EXPECT_EQ(config.name(), "file");
}

TEST(ConfigOverrides, UnknownNamesAndMissingValuesAreErrors) {
  MountConfig config;
  EXPECT_FALSE(apply_environment(config, "AISX_", {"AISX_THREDS=4"}));
  EXPECT_FALSE(apply_arguments(config, {"--threds=5"}));
  EXPECT_EQ(apply_arguments(config, {"--threads"}).error().what(), "--threads needs a value");
}

TEST(ConfigDoc, TablesComeFromTheDeclarationsAndShowReadsBack) {
  MountConfig config;
  EXPECT_THAT(man_table(config), HasSubstr("Default: 64MiB. Allowed: 1MiB to 1GiB."));
  EXPECT_THAT(help_text(config), HasSubstr("--readahead.window_max <size>"));
  ASSERT_TRUE(config.set("name", "x"));
  MountConfig copy;
  ASSERT_TRUE(apply_text(copy, show_text(config), "shown"));
  EXPECT_EQ(copy.name(), "x");
}

}  // namespace
}  // namespace aisfs::config
