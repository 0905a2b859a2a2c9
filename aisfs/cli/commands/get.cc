// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/listing.h"
#include "aisfs/cli/local_file.h"
#include "aisfs/cli/transfer.h"

namespace aisfs::cli {
namespace {

struct GetArguments {
  std::string from, to;
  std::uint64_t jobs = 8;
  bool recursive = false;
  bool preserve = false;
};

bool is_folder(const std::string& path) {
  struct stat st{};
  return path.ends_with('/') || (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode));
}

/// Where one object goes: the path given, or below it when that is a folder.
std::string path_for(const std::string& key, const std::string& to) {
  if (to.empty()) return base_name(key);
  if (!is_folder(to)) return to;
  return to + (to.ends_with('/') ? "" : "/") + base_name(key);
}

Task<Status> fetch_file(Session& s, const TransferItem& item, bool preserve, ProgressBoard& board) {
  GetOptions whole;
  CO_TRY(ObjectStream stream, co_await s.objects().get(s.context(), item.object, whole));
  SaveOptions save{.preserve = preserve, .posix = stream.info.posix.value_or(PosixAttrs{})};
  OnBytes on_bytes = [&board](std::uint64_t n) { board.add_bytes(n); };
  co_return co_await save_file(s.files, *stream.body, item.local, std::move(save),
                               std::move(on_bytes));
}

Task<Status> fetch_item(Session& s, const TransferItem& item, bool preserve, ProgressBoard& board) {
  Status done;
  switch (item.kind) {
    case TransferItem::Kind::kDirectory:
      done = co_await make_folder(s.files, item.local);
      break;
    case TransferItem::Kind::kSymlink:
      done = co_await save_symlink(s.files, item.local, item.posix.symlink);
      break;
    case TransferItem::Kind::kFile:
      done = co_await fetch_file(s, item, preserve, board);
      break;
  }
  if (!done) co_return std::move(done).error().context("get " + item.object.display());
  co_return Status{};
}

Task<Status> get_to_stdout(Session& s, ObjectName name) {
  GetOptions whole;
  CO_TRY(ObjectStream stream, co_await s.objects().get(s.context(), name, whole));
  OnBytes ignore = [](std::uint64_t) {};
  co_return co_await copy_to_fd(s.files, *stream.body, STDOUT_FILENO, std::move(ignore));
}

/// Links last: a link that was fetched cannot lead a later file out of the folder.
Task<Status> run_items(Session& s, const GetArguments& arguments, TransferPlan plan) {
  const auto middle = std::partition(plan.items.begin(), plan.items.end(), [](const auto& item) {
    return item.kind != TransferItem::Kind::kSymlink;
  });
  const auto first_link = static_cast<std::size_t>(middle - plan.items.begin());
  TransferStep file = [&](std::size_t i, ProgressBoard& board) {
    return fetch_item(s, plan.items[i], arguments.preserve, board);
  };
  TransferOptions files{.jobs = arguments.jobs, .count = first_link, .bytes_total = plan.bytes};
  TransferSummary summary = co_await run_transfer(s.out, files, std::move(file));

  TransferStep link = [&](std::size_t i, ProgressBoard& board) {
    return fetch_item(s, plan.items[first_link + i], arguments.preserve, board);
  };
  TransferOptions rest{.jobs = 1, .count = plan.items.size() - first_link};
  const TransferSummary linked = co_await run_transfer(s.out, rest, std::move(link));
  summary.files += linked.files;
  summary.failed.insert(summary.failed.end(), linked.failed.begin(), linked.failed.end());
  summary.failed.insert(summary.failed.end(), plan.refused.begin(), plan.refused.end());
  co_return finish_transfer(s.out, "got", summary);
}

Task<Status> get_recursively(Session& s, const GetArguments& arguments, Location from) {
  Location below{from.bucket, folder_prefix(from.key)};
  CO_TRY(const std::vector<ListEntry> entries, co_await entries_below(s, below));
  if (entries.empty()) co_return Error(Errc::not_found, "there is nothing below " + from.display());
  TransferPlan plan;
  const std::string folder = arguments.to.empty() ? "." : arguments.to;
  for (const ListEntry& entry : entries) plan_get_entry(plan, from, entry, folder);
  co_return co_await run_items(s, arguments, std::move(plan));
}

Task<Status> run_get(Session& s, const GetArguments& arguments) {
  CO_TRY(Location from, parse_location(arguments.from));
  if (arguments.recursive) co_return co_await get_recursively(s, arguments, std::move(from));
  CO_TRY(from, parse_object(arguments.from));
  ObjectName name = from.object();
  if (arguments.to == "-") co_return co_await get_to_stdout(s, std::move(name));
  Conditions anything;
  CO_TRY(const ObjectInfo info, co_await s.objects().head(s.context(), name, anything));
  TransferPlan plan;
  plan.add({.local = path_for(name.key, arguments.to), .object = name, .size = info.size});
  co_return co_await run_items(s, arguments, std::move(plan));
}

}  // namespace

void add_get(Command& root) {
  auto a = std::make_shared<GetArguments>();
  Command& get = root.sub("get", "Fetch an object, or all below a prefix");
  get.word("from", a->from, Names::kObject, Command::Need::kRequired,
           "BUCKET/NAME; with -r also BUCKET or BUCKET/FOLDER");
  get.word("to", a->to, Names::kLocalPath, Command::Need::kOptional,
           "File, folder or - for standard output; default: the object's own name, here");
  get.flag("-r,--recursive", a->recursive, "All objects of a bucket or below a folder");
  get.flag("-p,--preserve", a->preserve, "Mode and times as stored");
  get.number("-j,--jobs", a->jobs, "N", "So many files at once");
  get.examples(
      "  ais get demo/a.tar\n"
      "  ais get demo/a.tar - | tar t\n"
      "  ais get -r demo/2026 out                 # out/2026/...\n"
      "  ais get -r demo/2026/ out                # out/...");
  get.action([a](Session& s) { return run_get(s, *a); });
}

}  // namespace aisfs::cli
