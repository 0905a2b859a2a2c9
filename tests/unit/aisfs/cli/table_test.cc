// SPDX-License-Identifier: MIT
#include "aisfs/cli/table.h"

#include <gtest/gtest.h>

namespace aisfs::cli {
namespace {

TEST(Table, AlignsNamesLeftAndNumbersRight) {
  Table table({{"NAME"}, {"SIZE", Align::kRight}});
  table.add_row({"a", "1.5 MiB"});
  table.add_row({"longer", "2 B"});
  EXPECT_EQ(table.take_text(),
            "NAME       SIZE\n"
            "a       1.5 MiB\n"
            "longer      2 B\n");
}

TEST(Table, LaterPagesHaveNoTitlesAndKeepTheWidths) {
  Table table({{"N"}, {"S", Align::kRight}});
  table.add_row({"long-name", "1"});
  table.take_text();
  table.add_row({"b", "2"});
  EXPECT_EQ(table.take_text(), "b          2\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"N"}, {"S"}});
  table.add_row({"äöü", "1"});
  table.add_row({"abc", "2"});
  EXPECT_EQ(table.take_text(), "N    S\näöü  1\nabc  2\n");
}

TEST(Table, BoldTitlesOnlyWhenAskedFor) {
  Table table({{"N"}});
  EXPECT_EQ(table.take_text(Table::Style::kBoldTitles), "\x1b[1mN\x1b[0m\n");
}

TEST(Printable, ANameCannotDriveTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m"),
            "\\xc2\\x9b1m");                    // C1 control sequence introducer
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");  // Latin-1
  EXPECT_EQ(printable("café"), "café");
}

}  // namespace
}  // namespace aisfs::cli
