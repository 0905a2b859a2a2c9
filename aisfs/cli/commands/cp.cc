// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/listing.h"
#include "aisfs/cli/transfer.h"

namespace aisfs::cli {
namespace {

struct CpArguments {
  std::string from, to;
  std::uint64_t jobs = 8;
  bool recursive = false;
};

struct CopyPair {
  ObjectName from, to;
};

Task<Status> copy_one(Session& s, const CopyPair& pair) {
  CopyOptions options{.put = {.level = Durability::kNone}};  // the bucket's level holds
  auto done = co_await s.objects().copy(s.context(), pair.from, pair.to, options);
  if (!done) co_return std::move(done).error().context("cp " + pair.from.display());
  co_return Status{};
}

/// Everything below the source, with the same names below the destination.
Task<Result<std::vector<CopyPair>>> pairs_below(Session& s, Location from, Location to) {
  Location below{from.bucket, folder_prefix(from.key)};
  const std::string prefix = folder_prefix(to.key);
  CO_TRY(const std::vector<ListEntry> entries, co_await entries_below(s, below));
  if (entries.empty()) co_return Error(Errc::not_found, "there is nothing below " + from.display());
  std::vector<CopyPair> pairs;
  for (const ListEntry& entry : entries) {
    std::string key = prefix + entry.key.substr(below.key.size());
    if (key.empty()) continue;  // the folder's own marker, copied to a bucket
    CO_CHECK_OK(validate_key(key));
    pairs.push_back({{from.bucket, entry.key}, {to.bucket, std::move(key)}});
  }
  co_return pairs;
}

Task<Status> copy_single(Session& s, Location from, Location to) {
  if (to.key.empty() || to.key.ends_with('/')) to.key += base_name(from.key);
  CopyPair pair{from.object(), to.object()};
  CO_CHECK_OK(co_await copy_one(s, pair));
  s.out.done(from.display() + " => " + to.display(),
             {{"from", printable(from.display())}, {"to", printable(to.display())}});
  co_return Status{};
}

Task<Status> run_cp(Session& s, const CpArguments& arguments) {
  CO_TRY(Location from, parse_location(arguments.from));
  CO_TRY(Location to, parse_location(arguments.to));
  if (!arguments.recursive) {
    CO_TRY(from, parse_object(arguments.from));
    co_return co_await copy_single(s, std::move(from), std::move(to));
  }
  CO_TRY(const std::vector<CopyPair> pairs, co_await pairs_below(s, from, to));
  TransferStep step = [&](std::size_t i, ProgressBoard&) { return copy_one(s, pairs[i]); };
  TransferOptions options{.jobs = arguments.jobs, .count = pairs.size()};
  const TransferSummary summary = co_await run_transfer(s.out, options, std::move(step));
  co_return finish_transfer(s.out, "copied", summary);
}

}  // namespace

void add_cp(Command& root) {
  auto a = std::make_shared<CpArguments>();
  Command& cp = root.sub("cp", "Copy objects on the server, also between buckets");
  cp.word("from", a->from, Names::kObject, Command::Need::kRequired,
          "BUCKET/NAME; with -r also BUCKET or BUCKET/FOLDER");
  cp.word("to", a->to, Names::kObject, Command::Need::kRequired,
          "BUCKET[/NAME]; a '/' at the end keeps the name");
  cp.flag("-r,--recursive", a->recursive, "Everything below");
  cp.number("-j,--jobs", a->jobs, "N", "So many at once");
  cp.examples("  ais cp demo/a.tar demo/b.tar\n  ais cp -r ais://demo ais://backup/today");
  cp.action([a](Session& s) { return run_cp(s, *a); });
}

}  // namespace aisfs::cli
