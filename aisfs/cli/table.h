// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aisfs::cli {

enum class Align : unsigned char { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

/// Rows with aligned columns. Widths only grow, so a long listing can be printed page by page:
///
///   Table table({{"NAME"}, {"SIZE", Align::kRight}});
///   table.add_row({"a.tar", "1.5 MiB"});
///   out.text(table.take_text());
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// Exactly one cell a column. Bytes that would upset a terminal are escaped.
  void add_row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  enum class Style : unsigned char { kPlain, kBoldTitles };
  /// The rows since the last call, the titles before the first of them.
  std::string take_text(Style style = Style::kPlain);

 private:
  std::string format(const std::vector<std::string>& cells) const;

  const std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool titles_shown_ = false;
};

/// How many columns of a terminal the text takes, a column a code point.
std::size_t display_width(std::string_view text);

/// The text with control characters and invalid UTF-8 as \xNN: a name cannot move the cursor.
std::string printable(std::string_view text);

}  // namespace aisfs::cli
