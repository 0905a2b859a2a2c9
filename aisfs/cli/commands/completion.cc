// SPDX-License-Identifier: MIT
#include <set>

#include "aisfs/cli/complete.h"

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

// Enough to choose from, few enough to come at once.
constexpr std::uint32_t kCandidatesMax = 200;
constexpr Duration kPatience = std::chrono::milliseconds(1500);

Task<Status> print_script(Session& s, const std::string& shell) {
  if (shell != "bash") co_return Error(Errc::unsupported, "there is a completion for bash only");
  s.out.raw(bash_completion_script());
  co_return Status{};
}

/// The scheme as the user typed it, so that the candidate continues the word.
std::string scheme_of(const std::string& word) {
  const auto colon = word.find("://");
  return colon == word.npos ? "" : word.substr(0, colon + 3);
}

/// "dem" continues as a name, "ais" also as a scheme.
Task<Status> print_buckets(Session& s, const std::string& word, Names names) {
  CO_TRY(const std::vector<Bucket> buckets, co_await s.admin().list_buckets(s.context()));
  const std::string tail = names == Names::kObject ? "/" : "";
  for (const Bucket& bucket : buckets) {
    const std::string plain = scheme_of(word) + bucket.name.name;
    if (plain.starts_with(word))
      s.out.line(plain + tail);
    else if (bucket.name.display().starts_with(word))
      s.out.line(bucket.name.display() + tail);
  }
  co_return Status{};
}

Task<Status> print_nodes(Session& s, const std::string& word) {
  const MapSnapshot map = s.map().current();
  for (const auto& [id, node] : map->nodes) {
    if (id.starts_with(word)) s.out.line(id);
  }
  co_return Status{};
}

/// Ids of jobs that run, and their kinds.
Task<Status> print_jobs(Session& s, const std::string& word) {
  JobQuery all;
  CO_TRY(const std::vector<Job> jobs, co_await s.jobs().list_jobs(s.context(), std::move(all)));
  std::set<std::string> candidates;
  for (const Job& job : jobs) candidates.insert({job.id, job.spec.kind});
  for (const std::string& candidate : candidates) {
    if (candidate.starts_with(word)) s.out.line(candidate);
  }
  co_return Status{};
}

void print_kinds(Session& s, const std::string& word) {
  for (const JobKind& kind : job_kinds()) {
    if (kind.startable && kind.shown.starts_with(word)) s.out.line(kind.shown);
  }
}

/// One level of names, as for files.
Task<Status> print_objects(Session& s, const std::string& word) {
  CO_TRY(const Location location, parse_location(word));
  ListOptions options;
  options.prefix = location.key;
  options.delimiter = "/";
  options.limit = kCandidatesMax;
  CO_TRY(const ListPage page, co_await s.objects().list(s.context(), location.bucket, options));
  for (const ListEntry& entry : page.entries) {
    if (entry.key == printable(entry.key)) {
      s.out.line(scheme_of(word) + location.bucket.name + "/" + entry.key);
    }
  }
  co_return Status{};
}

Task<Status> print_candidates(Session& s, const Command& root, const std::string& line) {
  const CompletionRequest request = complete_line(root, line);
  for (const std::string& word : request.fixed) s.out.line(word);
  if (request.names == Names::kJobKind) print_kinds(s, request.word);
  const bool asks_cluster = request.names == Names::kJob || request.names == Names::kBucket ||
                            request.names == Names::kObject || request.names == Names::kNode;
  if (!asks_cluster) co_return Status{};
  s.options.timeout = kPatience;
  CO_TRY(s.link, co_await s.connect(s.options));
  if (request.names == Names::kJob) co_return co_await print_jobs(s, request.word);
  if (request.names == Names::kNode) co_return co_await print_nodes(s, request.word);
  const std::string bare = request.word.substr(scheme_of(request.word).size());
  if (request.names == Names::kObject && bare.find('/') != bare.npos) {
    co_return co_await print_objects(s, request.word);
  }
  co_return co_await print_buckets(s, request.word, request.names);
}

}  // namespace

void add_completion(Command& root) {
  auto shell = std::make_shared<std::string>();
  Command& completion = root.sub("completion", "Print the completion script of a shell");
  completion.word("shell", *shell, Names::kText, Command::Need::kRequired, "bash");
  completion.examples("  eval \"$(ais completion bash)\"   # also in ~/.bashrc");
  completion.action([shell](Session& s) { return print_script(s, *shell); },
                    Command::Cluster::kNotNeeded);
}

void add_complete(Command& root) {
  auto line = std::make_shared<std::string>();
  Command& complete = root.sub("__complete", "Candidates for the end of a command line");
  complete.word("line", *line, Names::kText, Command::Need::kRequired, "The line up to the cursor");
  complete.hide();
  complete.action([line, &root](Session& s) { return print_candidates(s, root, *line); },
                  Command::Cluster::kNotNeeded);
}

}  // namespace aisfs::cli
