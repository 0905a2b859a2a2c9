// SPDX-License-Identifier: MIT
#include <algorithm>

#include "aisfs/cli/commands/bucket_jobs.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/job_view.h"
#include "aisfs/cli/listing.h"
#include "aisfs/cli/transfer.h"

namespace aisfs::cli {
namespace {

struct RmArguments {
  std::vector<std::string> objects;
  std::uint64_t jobs = 16;
  bool recursive = false;
  NamesArguments names;
  bool wait = false;
};

/// The objects of one argument. Deepest names first, so that a directory goes after its entries.
Task<Result<std::vector<ObjectName>>> names_of(Session& s, std::string text, bool recursive) {
  std::vector<ObjectName> names;
  if (!recursive) {
    CO_TRY(const Location one, parse_object(text));
    names.push_back(one.object());
    co_return names;
  }
  CO_TRY(const Location location, parse_location(text));
  Location below{location.bucket, folder_prefix(location.key)};
  CO_TRY(const std::vector<ListEntry> entries, co_await entries_below(s, below));
  for (const ListEntry& entry : entries) names.push_back({location.bucket, entry.key});
  if (names.empty())
    co_return Error(Errc::not_found, "there is nothing below " + location.display());
  std::reverse(names.begin(), names.end());
  co_return names;
}

Task<Status> remove_one(Session& s, const ObjectName& name) {
  RemoveOptions options;
  Status done = co_await s.objects().remove(s.context(), name, options);
  if (!done) co_return std::move(done).error().context("rm " + name.display());
  co_return Status{};
}

/// By the targets themselves, however many there are.
Task<Status> remove_by_job(Session& s, const RmArguments& arguments) {
  if (arguments.objects.size() != 1 || arguments.recursive) {
    co_return Error(Errc::invalid_argument,
                    "--list and --template are about one bucket, without -r");
  }
  JobSpec spec;
  spec.kind = "delete-listrange";
  CO_TRY(spec.bucket, parse_bucket(arguments.objects[0]));
  CO_CHECK_OK(set_names(arguments.names, spec));
  std::string what = "Deleting from " + spec.bucket.display();
  CO_TRY(std::string id, co_await s.jobs().start_job(s.context(), std::move(spec), ""));
  co_return co_await follow_started(s, std::move(id), std::move(what), arguments.wait);
}

Task<Status> run_rm(Session& s, const RmArguments& arguments) {
  if (arguments.names.any()) co_return co_await remove_by_job(s, arguments);
  std::vector<ObjectName> names;
  for (const std::string& text : arguments.objects) {
    CO_TRY(std::vector<ObjectName> more, co_await names_of(s, text, arguments.recursive));
    std::move(more.begin(), more.end(), std::back_inserter(names));
  }
  if (names.size() == 1) {  // its own error and status, not "1 of 1 failed"
    CO_CHECK_OK(co_await remove_one(s, names[0]));
    s.out.done(names[0].display() + " deleted", {{"deleted", printable(names[0].display())}});
    co_return Status{};
  }
  TransferStep step = [&](std::size_t i, ProgressBoard&) { return remove_one(s, names[i]); };
  TransferOptions options{.jobs = arguments.jobs, .count = names.size()};
  const TransferSummary summary = co_await run_transfer(s.out, options, std::move(step));
  co_return finish_transfer(s.out, "deleted", summary);
}

}  // namespace

void add_rm(Command& root) {
  auto a = std::make_shared<RmArguments>();
  Command& rm = root.sub("rm", "Delete objects");
  rm.words("object", a->objects, Names::kObject,
           "BUCKET/NAME...; with -r also BUCKET or BUCKET/FOLDER; with --list BUCKET");
  rm.flag("-r,--recursive", a->recursive, "Everything below");
  rm.number("-j,--jobs", a->jobs, "N", "So many at once");
  declare_names(rm, a->names);
  rm.flag("--wait", a->wait, "With --list or --template: until it has ended");
  rm.examples(
      "  ais rm demo/a.tar demo/b.tar\n"
      "  ais rm -r demo/2026\n"
      "  ais rm demo --template 'shard-{000..099}.tar' --wait");
  rm.action([a](Session& s) { return run_rm(s, *a); });
}

}  // namespace aisfs::cli
