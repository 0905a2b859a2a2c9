// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <vector>

#include "aisfs/cli/progress.h"
#include "aisfs/cli/session.h"
#include "aisfs/cli/transfer_plan.h"

namespace aisfs::cli {

/// What happened to many operations that went on side by side.
struct TransferSummary {
  std::uint64_t files = 0;  // done
  std::uint64_t bytes = 0;
  std::vector<Error> failed;  // each names its object or file
  Duration took{};
};

/// Counts what moves and shows it on a terminal, five times a second.
class ProgressBoard {
 public:
  ProgressBoard(Output& out, std::uint64_t files_total, std::uint64_t bytes_total);

  void add_bytes(std::uint64_t count);
  void add_file();
  const ProgressState& state() const { return state_; }

 private:
  void show();

  Output& out_;
  ProgressState state_;
  RateMeter rate_;
  TimePoint shown_{};
};

/// One step of a transfer, told where to report bytes.
using TransferStep = std::function<Task<Status>(std::size_t index, ProgressBoard& board)>;

struct TransferOptions {
  std::size_t jobs = 8;  // at once: enough to hide the round trips, few enough for one disk
  std::size_t count = 0;
  std::uint64_t bytes_total = 0;
};

/// Runs step 0..count-1, `jobs` of them at once, and waits for all. A failed step does not stop the
/// others.
Task<TransferSummary> run_transfer(Output& out, TransferOptions options, TransferStep step);

/// Prints the failures and the sum: "put 12 files, 3.4 MiB in 0.2 s". An error when anything
/// failed.
Status finish_transfer(Output& out, std::string_view verb, const TransferSummary& summary);

}  // namespace aisfs::cli
