// SPDX-License-Identifier: MIT
#include "aisfs/cli/table.h"

#include <algorithm>
#include <cstdio>

#include "common/base/assert.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr std::string_view kGap = "  ";

bool is_control(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0x20 || u == 0x7f;
}

/// The C1 controls U+0080..U+009F are c2 80..c2 9f; some terminals obey them.
bool is_c1_control(std::string_view text, std::size_t at) {
  return text[at] == '\xc2' && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) widths_.push_back(display_width(column.title));
}

void Table::add_row(std::vector<std::string> cells) {
  AISFS_ASSERT(cells.size() == columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = printable(cells[i]);
    widths_[i] = std::max(widths_[i], display_width(cells[i]));
  }
  rows_.push_back(std::move(cells));
}

std::string Table::take_text(Style style) {
  std::string text;
  if (!titles_shown_) {
    std::vector<std::string> titles;
    for (const Column& column : columns_) titles.push_back(column.title);
    const bool bold = style == Style::kBoldTitles;
    text = (bold ? "\x1b[1m" : "") + format(titles) + (bold ? "\x1b[0m" : "") + "\n";
    titles_shown_ = true;
  }
  for (const auto& row : rows_) text += format(row) + "\n";
  rows_.clear();
  return text;
}

std::string Table::format(const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) line += kGap;
    const std::string pad(widths_[i] - display_width(cells[i]), ' ');
    line += columns_[i].align == Align::kRight ? pad + cells[i] : cells[i] + pad;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string printable(std::string_view text) {
  const bool valid = is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool foreign = !valid && static_cast<unsigned char>(text[i]) >= 0x80;
    if (is_control(text[i]) || foreign || is_c1_control(text, i)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[i]));
      out += escape;
      if (!foreign && is_c1_control(text, i)) {
        std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[++i]));
        out += escape;
      }
      continue;
    }
    out += text[i];
  }
  return out;
}

}  // namespace aisfs::cli
