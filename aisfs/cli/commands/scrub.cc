// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/units.h"
#include "common/async/gather.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr Duration kAnswerMax = std::chrono::seconds(5);

struct ScrubArguments {
  bool start = false, stop = false;
};

struct TargetScrub {
  std::string id;
  Result<ScrubProgress> says;
};

Task<Result<ScrubProgress>> ask(Session& s, NodeInfo node, ScrubAction action) {
  if (node.state == NodeState::kAway) co_return Error(Errc::not_ready, "it is away");
  Context context = s.context();
  context.deadline = Deadline::after(std::min(kAnswerMax, s.options.timeout));
  co_return co_await s.admin().scrub(std::move(context), node.id, action);
}

Task<std::vector<TargetScrub>> ask_all(Session& s, ScrubAction action) {
  const MapSnapshot map = s.map().current();
  std::vector<std::string> ids;
  std::vector<Task<Result<ScrubProgress>>> calls;
  for (const auto& [id, node] : map->nodes) {
    if (!node.stores()) continue;
    ids.push_back(id);
    calls.push_back(ask(s, node, action));
  }
  auto answers = co_await gather(std::move(calls));
  std::vector<TargetScrub> targets;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    targets.push_back({std::move(ids[i]), std::move(answers[i])});
  }
  co_return targets;
}

std::string_view state_of(const ScrubProgress& p) {
  if (p.running) return "running";
  return p.ended_ns == 0 ? "idle" : "ended";
}

std::string time_or_dash(std::int64_t unix_ns) { return unix_ns == 0 ? "-" : local_time(unix_ns); }

void print_names(Session& s, const std::vector<TargetScrub>& targets) {
  Table table({{"NODE"}, {"OBJECT"}, {"STATE"}, {"WHY"}});
  bool any = false;
  for (const TargetScrub& target : targets) {
    if (!target.says) continue;
    for (const DamagedName& name : target.says->names) {
      any = true;
      table.add_row({target.id, printable(name.bucket.display() + "/" + name.key),
                     name.lost ? "lost" : "damaged", printable(name.why)});
    }
  }
  if (!any) return;
  s.out.line("");
  s.out.table(table);
}

void print(Session& s, const std::vector<TargetScrub>& targets) {
  Table table({{"NODE"},
               {"STATE"},
               {"OBJECTS", Align::kRight},
               {"OF", Align::kRight},
               {"BYTES", Align::kRight},
               {"DAMAGED", Align::kRight},
               {"HEALED", Align::kRight},
               {"LOST", Align::kRight},
               {"STARTED"},
               {"ENDED"},
               {"NEXT"}});
  for (const TargetScrub& target : targets) {
    if (!target.says) {
      table.add_row({target.id, "no answer", "-", "-", "-", "-", "-", "-", "-", "-", "-"});
      continue;
    }
    const ScrubProgress& p = *target.says;
    table.add_row({target.id, std::string(state_of(p)), std::to_string(p.objects),
                   std::to_string(p.objects_total), human_size(p.bytes), std::to_string(p.damaged),
                   std::to_string(p.healed), std::to_string(p.lost), time_or_dash(p.started_ns),
                   time_or_dash(p.ended_ns), time_or_dash(p.next_ns)});
  }
  s.out.table(table);
  print_names(s, targets);
}

JsonObject json_of(const TargetScrub& target) {
  JsonObject node{{"id", target.id}};
  if (!target.says) {
    node["error"] = target.says.error().what();
    return node;
  }
  const ScrubProgress& p = *target.says;
  node["state"] = state_of(p);
  node["objects"] = p.objects;
  node["objects_total"] = p.objects_total;
  node["bytes"] = p.bytes;
  node["damaged"] = p.damaged;
  node["healed"] = p.healed;
  node["lost"] = p.lost;
  if (p.started_ns != 0) node["started"] = iso_time(p.started_ns);
  if (p.ended_ns != 0) node["ended"] = iso_time(p.ended_ns);
  if (p.next_ns != 0) node["next"] = iso_time(p.next_ns);
  JsonArray names;
  for (const DamagedName& name : p.names) {
    names.push_back(JsonObject{{"bucket", name.bucket.display()},
                               {"key", name.key},
                               {"state", name.lost ? "lost" : "damaged"},
                               {"why", name.why},
                               {"seen", iso_time(name.seen_ns)}});
  }
  node["names"] = std::move(names);
  return node;
}

Task<Status> scrub(Session& s, const ScrubArguments& arguments) {
  if (arguments.start && arguments.stop) {
    co_return Error(Errc::invalid_argument, "--start or --stop, not both");
  }
  const ScrubAction action = arguments.start  ? ScrubAction::kStart
                             : arguments.stop ? ScrubAction::kStop
                                              : ScrubAction::kShow;
  const std::vector<TargetScrub> targets = co_await ask_all(s, action);
  if (s.out.json()) {
    JsonArray nodes;
    for (const TargetScrub& target : targets) nodes.push_back(json_of(target));
    s.out.json_line(JsonObject{{"nodes", std::move(nodes)}});
  } else {
    print(s, targets);
  }
  for (const TargetScrub& target : targets) {
    if (target.says) continue;
    if (action != ScrubAction::kShow) co_return target.says.error();
    if (!s.out.json()) s.out.line(printable(target.id + ": " + target.says.error().what()));
  }
  co_return Status{};
}

}  // namespace

void add_scrub(Command& storage) {
  auto a = std::make_shared<ScrubArguments>();
  Command& scrub_command =
      storage.sub("scrub", "Whether all that lies on disks is as it was written");
  scrub_command.flag("--start", a->start, "Read all of it now, from the beginning");
  scrub_command.flag("--stop", a->stop, "End the look that goes on");
  scrub_command.examples(
      "  ais storage scrub                                 # what the last look has found\n"
      "  ais storage scrub --start\n"
      "  ais storage scrub --json | jq '.nodes[].names'\n\n"
      "Every target reads all that it holds now and then (store.scrub_interval), slowly\n"
      "(store.scrub_rate). HEALED: a damaged or missing copy was replaced by a good one of "
      "another\n"
      "target. LOST: nobody has a good copy; the object is listed, and reading it fails. The "
      "second\n"
      "table has the names that are not healed now.");
  scrub_command.action([a](Session& s) { return scrub(s, *a); });
}

}  // namespace aisfs::cli
