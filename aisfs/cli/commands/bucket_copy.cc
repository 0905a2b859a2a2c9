// SPDX-License-Identifier: MIT
// ais bucket cp, ais bucket mv: jobs that copy or rename whole buckets.
#include "aisfs/cli/commands/bucket_jobs.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/job_view.h"
#include "aisfs/cli/location.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

struct CopyArguments {
  std::string from, to;
  std::string prefix, prepend;
  NamesArguments names;
  bool dry_run = false, wait = false;
};

Task<Status> copy(Session& s, const CopyArguments& a) {
  JobSpec spec;
  CO_TRY(spec.bucket, parse_bucket(a.from));
  CO_TRY(spec.to, parse_bucket(a.to));
  CO_CHECK_OK(set_names(a.names, spec));
  const bool some = !spec.names.empty() || !spec.name_template.empty();
  if (some && !a.prefix.empty()) {
    co_return Error(Errc::invalid_argument, "--prefix, --list or --template: one of them");
  }
  spec.kind = some ? "copy-listrange" : "copy-bck";
  spec.prefix = a.prefix;
  spec.prepend = a.prepend;
  spec.dry_run = a.dry_run;
  std::string what = "Copying " + spec.bucket.display() + " => " + spec.to.display();
  if (a.dry_run) what = "[DRY RUN] with no modifications to the cluster: " + what;
  CO_TRY(std::string id, co_await s.jobs().start_job(s.context(), std::move(spec), ""));
  co_return co_await follow_started(s, std::move(id), std::move(what), a.wait);
}

struct MoveArguments {
  std::string from, to;
  bool wait = false;
};

Task<Status> move(Session& s, const MoveArguments& a) {
  JobSpec spec;
  spec.kind = "move-bck";
  CO_TRY(spec.bucket, parse_bucket(a.from));
  CO_TRY(spec.to, parse_bucket(a.to));
  std::string what = "Renaming bucket " + spec.bucket.display() + " => " + spec.to.display();
  CO_TRY(std::string id, co_await s.jobs().start_job(s.context(), std::move(spec), ""));
  co_return co_await follow_started(s, std::move(id), std::move(what), a.wait);
}

}  // namespace

void declare_names(Command& command, NamesArguments& into) {
  command.option("--list", into.list, "NAMES", "These names, with commas between them");
  command.option("--template", into.name_template, "TEMPLATE",
                 "Names as in shard-{000..999}.tar; without a range all that begin so");
}

Status set_names(const NamesArguments& given, JobSpec& spec) {
  if (!given.list.empty() && !given.name_template.empty()) {
    return Error(Errc::invalid_argument, "--list or --template, not both");
  }
  spec.name_template = given.name_template;
  if (given.list.empty()) return {};
  for (const std::string_view name : split(given.list, ',')) {
    if (!trim(name).empty()) spec.names.emplace_back(trim(name));
  }
  if (spec.names.empty()) return Error(Errc::invalid_argument, "--list has no names");
  return {};
}

void add_bucket_copy(Command& bucket) {
  auto a = std::make_shared<CopyArguments>();
  Command& cp = bucket.sub("cp", "Copy a bucket, or some of its objects, as a job");
  cp.word("from", a->from, Names::kBucket, Command::Need::kRequired, "BUCKET");
  cp.word("to", a->to, Names::kBucket, Command::Need::kRequired, "BUCKET; made if it is missing");
  cp.option("--prefix", a->prefix, "PREFIX", "Only names that begin so");
  cp.option("--prepend", a->prepend, "TEXT", "Goes before the names of the copies");
  declare_names(cp, a->names);
  cp.flag("--dry-run", a->dry_run, "Count what would be copied");
  cp.flag("--wait", a->wait, "Until it has ended; the exit status says how");
  cp.examples(
      "  ais bucket cp demo backup --wait\n"
      "  ais bucket cp demo backup --prefix 2026/ --prepend old/\n"
      "  ais bucket cp demo backup --template 'shard-{000..099}.tar'");
  cp.action([a](Session& s) { return copy(s, *a); });

  auto m = std::make_shared<MoveArguments>();
  Command& mv = bucket.sub("mv", "Rename a bucket, as a job; the new name is there at once");
  mv.word("from", m->from, Names::kBucket, Command::Need::kRequired, "BUCKET");
  mv.word("to", m->to, Names::kBucket, Command::Need::kRequired, "BUCKET; must not exist");
  mv.flag("--wait", m->wait, "Until it has ended; the exit status says how");
  mv.examples("  ais bucket mv demo archive --wait");
  mv.action([m](Session& s) { return move(s, *m); });
}

}  // namespace aisfs::cli
