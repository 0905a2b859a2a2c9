// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/report.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace aisfs::tests::scale {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownMax = 20;  // of what is wrong

double seconds_of(Duration time) { return std::chrono::duration<double>(time).count(); }

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                100 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

void print_clients(const std::vector<std::pair<std::string, Tally::Counts>>& clients) {
  for (const auto& [name, counts] : clients) {
    std::printf("    %-12s reads %-6zu writes %-6zu retries %-4zu failures %-3zu longest %.2f s\n",
                name.c_str(), counts.reads, counts.writes, counts.retries, counts.failures,
                seconds_of(counts.longest));
  }
}

json::object object_of(const Tally::Counts& counts) {
  return {{"reads", counts.reads},
          {"writes", counts.writes},
          {"retries", counts.retries},
          {"failures", counts.failures},
          {"longest_s", seconds_of(counts.longest)}};
}

json::object object_of(const std::vector<std::pair<std::string, Tally::Counts>>& clients) {
  json::object all;
  for (const auto& [name, counts] : clients) all[name] = object_of(counts);
  return all;
}

json::object object_of(const Row& row) {
  return {{"step", row.step},
          {"seconds", row.seconds},
          {"targets", row.targets},
          {"objects", row.objects},
          {"files", row.files},
          {"moved_files", row.moved.files},
          {"moved_bytes", row.moved.bytes},
          {"ideal_files", row.ideal.files},
          {"ideal_bytes", row.ideal.bytes},
          {"clients", object_of(row.clients)},
          {"note", row.note}};
}

}  // namespace

void print_head() {
  std::printf("%-38s %7s %8s %8s %7s %7s %9s %8s %9s\n", "step", "seconds", "targets", "objects",
              "files", "moved", "MB", "ideal", "of files");
}

void print_row(const Row& row) {
  std::printf("%-38s %7.1f %8zu %8zu %7zu %7zu %9.2f %8zu %9s\n", row.step.c_str(), row.seconds,
              row.targets, row.objects, row.files, row.moved.files,
              static_cast<double>(row.moved.bytes) / 1e6, row.ideal.files,
              percent(row.moved.files, row.files).c_str());
  print_clients(row.clients);
  if (!row.note.empty()) std::printf("    %s\n", row.note.c_str());
  for (std::size_t i = 0; i < std::min(kShownMax, row.failures.size()); ++i) {
    std::printf("    failed: %s\n", row.failures[i].c_str());
  }
  std::fflush(stdout);
}

void print_end(const Report& report) {
  std::printf("all in all\n");
  print_clients(report.totals);
  std::printf("histories: %s\n", report.verdicts.c_str());
  for (std::size_t i = 0; i < std::min(kShownMax, report.wrong.size()); ++i) {
    std::printf("WRONG %s\n", report.wrong[i].c_str());
  }
  if (report.wrong.size() > kShownMax) {
    std::printf("and %zu more\n", report.wrong.size() - kShownMax);
  }
  std::printf("%s\n", report.wrong.empty() ? "good" : "not good");
}

std::string to_json(const Report& report) {
  json::array rows, wrong;
  for (const Row& row : report.rows) rows.push_back(object_of(row));
  for (const std::string& line : report.wrong) wrong.push_back(json::string(line));
  const json::object all = {{"seed", report.seed},
                            {"steps", std::move(rows)},
                            {"totals", object_of(report.totals)},
                            {"histories", report.verdicts},
                            {"wrong", std::move(wrong)}};
  return json::serialize(all);
}

}  // namespace aisfs::tests::scale
