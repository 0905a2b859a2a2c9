// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <filesystem>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/local_file.h"
#include "aisfs/cli/transfer.h"
#include "common/async/offload.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

struct PutArguments {
  std::string from, to;
  std::string content_type;
  std::uint64_t jobs = 8;
  bool recursive = false;
};

Result<ObjectName> target_of_pipe(const PutArguments& arguments) {
  TRY(Location to, parse_location(arguments.to));
  if (to.key.empty() || to.key.ends_with('/')) {
    return Error(Errc::invalid_argument,
                 "standard input has no name of its own; write BUCKET/NAME");
  }
  return to.object();
}

Task<Status> put_pipe(Session& s, const PutArguments& arguments) {
  CO_TRY(ObjectName name, target_of_pipe(arguments));
  ProgressBoard board(s.out, 1, 0);
  OnBytes on_bytes = [&board](std::uint64_t n) { board.add_bytes(n); };
  FileSource source(s.files, UniqueFd(::dup(STDIN_FILENO)), std::nullopt, std::move(on_bytes));
  PutOptions options{.level = Durability::kNone};  // the bucket's level holds
  options.content_type = arguments.content_type;
  ExpectedChecksums none;
  CO_TRY(const ObjectInfo info, co_await s.objects().put(s.context(), name, options, none, source));
  s.out.clear_progress();
  s.out.done("put - => " + name.display() + " (" + human_size(info.size) + ")",
             {{"object", printable(name.display())}, {"size", info.size}, {"etag", info.etag}});
  co_return Status{};
}

/// A file with its bytes; a link with its target as such, where S3 tools look for it.
Task<Status> put_bytes(Session& s,
                       const TransferItem& item,
                       PutOptions options,
                       ProgressBoard& board) {
  ExpectedChecksums none;
  if (item.kind == TransferItem::Kind::kSymlink) {
    StringSource target(item.posix.symlink);
    options.size = item.posix.symlink.size();
    CO_TRY(ObjectInfo info,
           co_await s.objects().put(s.context(), item.object, options, none, target));
    co_return Status{};
  }
  CO_TRY(UniqueFd fd, co_await open_source(s.files, item.local));
  OnBytes on_bytes = [&board](std::uint64_t n) { board.add_bytes(n); };
  FileSource source(s.files, std::move(fd), item.size, std::move(on_bytes));
  options.size = item.size;
  CO_TRY(ObjectInfo info,
         co_await s.objects().put(s.context(), item.object, options, none, source));
  co_return Status{};
}

Task<Status> put_folder(Session& s, const TransferItem& item) {
  MakeDirOptions options{.posix = item.posix};
  auto made = co_await s.objects().make_dir(s.context(), item.object.bucket, item.object.key,
                                            std::move(options));
  if (!made && made.error().code() != Errc::already_exists) co_return std::move(made).error();
  co_return Status{};
}

Task<Status> put_item(Session& s,
                      const TransferItem& item,
                      const PutArguments& arguments,
                      ProgressBoard& board) {
  PutOptions options{.level = Durability::kNone};  // the bucket's level holds
  options.content_type = arguments.content_type;
  options.posix = item.posix;
  Status done;
  if (item.kind == TransferItem::Kind::kDirectory)
    done = co_await put_folder(s, item);
  else
    done = co_await put_bytes(s, item, std::move(options), board);
  if (!done) co_return std::move(done).error().context("put " + item.local);
  co_return Status{};
}

Task<Result<TransferPlan>> make_plan(Session& s, const PutArguments& arguments) {
  CO_TRY(Location to, parse_location(arguments.to));
  auto plan = [&arguments, to]() -> Result<TransferPlan> {
    std::error_code ec;
    if (!std::filesystem::is_directory(arguments.from, ec)) {
      TransferPlan one;
      CHECK_OK(plan_put_file(one, arguments.from, to));
      return one;
    }
    if (arguments.recursive) return plan_put(arguments.from, to);
    return Error(Errc::is_directory, arguments.from + " is a folder; put it with -r");
  };
  co_return co_await offload(s.files, std::move(plan));
}

Task<Status> run_put(Session& s, const PutArguments& arguments) {
  if (arguments.from == "-") co_return co_await put_pipe(s, arguments);
  CO_TRY(const TransferPlan plan, co_await make_plan(s, arguments));
  TransferStep step = [&](std::size_t i, ProgressBoard& board) {
    return put_item(s, plan.items[i], arguments, board);
  };
  TransferOptions options{
      .jobs = arguments.jobs, .count = plan.items.size(), .bytes_total = plan.bytes};
  TransferSummary summary = co_await run_transfer(s.out, options, std::move(step));
  summary.failed.insert(summary.failed.end(), plan.refused.begin(), plan.refused.end());
  co_return finish_transfer(s.out, "put", summary);
}

}  // namespace

void add_put(Command& root) {
  auto a = std::make_shared<PutArguments>();
  Command& put = root.sub("put", "Store a file, a folder or standard input");
  put.word("from", a->from, Names::kLocalPath, Command::Need::kRequired,
           "File, folder (-r) or - for standard input");
  put.word("to", a->to, Names::kObject, Command::Need::kRequired,
           "BUCKET[/NAME]; a '/' at the end keeps the file's own name");
  put.flag("-r,--recursive", a->recursive, "A folder with all below it");
  put.number("-j,--jobs", a->jobs, "N", "So many files at once");
  put.option("--content-type", a->content_type, "TYPE", "Content-Type of the objects");
  put.examples(
      "  ais put a.tar ais://demo                 # demo/a.tar\n"
      "  ais put a.tar demo/old/b.tar\n"
      "  ais put -r photos demo/2026              # demo/2026/...\n"
      "  tar c . | ais put - demo/all.tar");
  put.action([a](Session& s) { return run_put(s, *a); });
}

}  // namespace aisfs::cli
