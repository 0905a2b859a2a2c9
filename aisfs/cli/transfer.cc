// SPDX-License-Identifier: MIT
#include "aisfs/cli/transfer.h"

#include <algorithm>
#include <cstdio>

#include "aisfs/cli/units.h"
#include "common/async/scope.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr Duration kShowEvery = std::chrono::milliseconds(200);

struct Run {
  const TransferOptions& options;
  const TransferStep& step;
  ProgressBoard& board;
  std::vector<Error>& failed;
  std::size_t next = 0;
};

/// Takes the next step until none is left.
Task<void> work(Run& run) {
  while (run.next < run.options.count) {
    const std::size_t index = run.next++;
    Status done = co_await run.step(index, run.board);
    if (done) {
      run.board.add_file();
    } else {
      run.failed.push_back(std::move(done).error());
    }
  }
}

std::string seconds_text(Duration took) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(took).count());
  return text;
}

}  // namespace

ProgressBoard::ProgressBoard(Output& out, std::uint64_t files_total, std::uint64_t bytes_total)
    : out_(out) {
  state_.files_total = files_total;
  state_.bytes_total = bytes_total;
}

void ProgressBoard::add_bytes(std::uint64_t count) {
  state_.bytes_done += count;
  show();
}

void ProgressBoard::add_file() {
  ++state_.files_done;
  show();
}

void ProgressBoard::show() {
  if (!out_.options().err_is_terminal) return;
  const TimePoint now = std::chrono::steady_clock::now();
  rate_.record(now, state_.bytes_done);
  if (now - shown_ < kShowEvery) return;
  shown_ = now;
  state_.bytes_per_second = rate_.bytes_per_second();
  out_.progress(progress_line(state_, out_.options().columns));
}

Task<TransferSummary> run_transfer(Output& out, TransferOptions options, TransferStep step) {
  const TimePoint start = std::chrono::steady_clock::now();
  TransferSummary summary;
  ProgressBoard board(out, options.count, options.bytes_total);
  Run run{options, step, board, summary.failed};
  TaskScope scope(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < std::min(options.jobs, options.count); ++i) scope.spawn(work(run));
  co_await scope.join();
  out.clear_progress();
  summary.files = board.state().files_done;
  summary.bytes = board.state().bytes_done;
  summary.took = std::chrono::steady_clock::now() - start;
  co_return summary;
}

Status finish_transfer(Output& out, std::string_view verb, const TransferSummary& summary) {
  JsonArray failed;
  for (const Error& error : summary.failed) {
    if (out.json()) {
      failed.push_back({{"error", info(error.code()).name}, {"what", printable(error.what())}});
    } else {
      out.note("failed: " + printable(error.what()));
    }
  }
  if (out.json()) {
    out.json_line({{"operation", verb},
                   {"files", summary.files},
                   {"bytes", summary.bytes},
                   {"seconds", std::chrono::duration<double>(summary.took).count()},
                   {"failed", std::move(failed)}});
  } else {
    const std::string bytes = summary.bytes == 0 ? "" : ", " + human_size(summary.bytes);
    out.note(std::string(verb) + " " + count_of(summary.files, "object") + bytes + " in " +
             seconds_text(summary.took));
  }
  if (summary.failed.empty()) return {};
  return Error(Errc::io, std::to_string(summary.failed.size()) + " of " +
                             std::to_string(summary.failed.size() + summary.files) + " failed");
}

}  // namespace aisfs::cli
