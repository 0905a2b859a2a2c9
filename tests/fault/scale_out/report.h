// SPDX-License-Identifier: MIT
#pragma once
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/scale_out/census.h"
#include "tests/fault/scale_out/tally.h"

namespace aisfs::tests::scale {

/// What a step has done, and what clients saw meanwhile.
struct Row {
  std::string step;
  double seconds = 0;
  std::size_t targets = 0;  // at its end
  std::size_t objects = 0;  // of the stock
  std::size_t files = 0;    // of them: copies and slices
  Moved moved, ideal;
  std::vector<std::pair<std::string, Tally::Counts>> clients;  // by kind
  std::string note;
  std::vector<std::string> failures;  // of clients
};

struct Report {
  std::uint64_t seed = 0;
  std::vector<Row> rows;
  std::vector<std::pair<std::string, Tally::Counts>> totals;  // by kind of client
  std::string verdicts;
  std::vector<std::string> wrong;  // bars that were missed; empty is good
};

/// For people, while it runs.
void print_head();
void print_row(const Row& row);
void print_end(const Report& report);
/// One object with all of it.
std::string to_json(const Report& report);

}  // namespace aisfs::tests::scale
