// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "aisfs/cli/app.h"
#include "tests/kit/fake_cluster.h"
#include "tests/kit/fake_jobs.h"

namespace aisfs::cli {

/// What a run of the program did.
struct AisResult {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs `ais` in this process against a cluster in memory, and has a folder for files.
class AisRunner {
 public:
  AisRunner();
  ~AisRunner();

  AisResult run(std::vector<std::string> arguments);
  /// Connecting fails so many times before it works.
  void refuse_connections(int count, Errc code) { refusals_ = count, refusal_ = code; }
  /// What the user types from now on, a line each; then the input ends.
  void type(std::vector<std::string> lines) { typed_.assign(lines.begin(), lines.end()); }
  /// As on a terminal of so many columns.
  void set_terminal(std::size_t columns);

  tests::FakeCluster cluster;
  tests::FakeJobs jobs;
  std::string folder;

  std::string write_file(const std::string& name, const std::string& text);
  std::string read_file(const std::string& name) const;

 private:
  Task<Result<std::unique_ptr<Link>>> connect();

  Runtime runtime_{1};
  OutputOptions output_;
  int refusals_ = 0;
  Errc refusal_ = Errc::unreachable;
  std::deque<std::string> typed_;
};

}  // namespace aisfs::cli
