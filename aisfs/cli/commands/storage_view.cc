// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/storage_view.h"

#include <algorithm>

#include "aisfs/cli/units.h"
#include "common/async/gather.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr Duration kAnswerMax = std::chrono::seconds(5);

Task<Result<StorageInfo>> ask(Session& s, NodeInfo node) {
  if (node.state == NodeState::kAway) co_return Error(Errc::not_ready, "it is away");
  Context context = s.context();
  context.deadline = Deadline::after(std::min(kAnswerMax, s.options.timeout));
  co_return co_await s.admin().storage(std::move(context), node.id);
}

std::uint64_t left_of(const ResilverProgress& p) {
  return p.names_total - std::min(p.names_seen, p.names_total) + p.names_left;
}

Json mountpath_json(const MountpathInfo& info) {
  JsonObject out{{"path", info.path}, {"state", info.state}, {"lacking", info.lacking}};
  if (!info.why.empty()) out["why"] = info.why;
  if (!info.is_open()) return out;
  out["fs"] = info.fs;
  out["total"] = info.total_bytes;
  out["available"] = info.available_bytes;
  out["objects"] = info.objects;
  out["used"] = info.used_bytes;
  return out;
}

Json resilver_json(const ResilverProgress& p) {
  JsonObject out{{"running", p.running},
                 {"names_moved", p.names_moved},
                 {"bytes_moved", p.bytes_moved},
                 {"names_left", p.running ? left_of(p) : 0}};
  if (p.started_ns != 0) out["started"] = iso_time(p.started_ns);
  if (p.ended_ns != 0) out["ended"] = iso_time(p.ended_ns);
  return out;
}

std::string percent_used(const MountpathInfo& info) {
  if (info.total_bytes == 0) return "-";
  const std::uint64_t used = info.total_bytes - std::min(info.available_bytes, info.total_bytes);
  return std::to_string(used * 100 / info.total_bytes) + "%";
}

}  // namespace

Task<std::vector<TargetStorage>> ask_storage(Session& s, std::vector<NodeInfo> targets) {
  std::vector<Task<Result<StorageInfo>>> calls;
  for (const NodeInfo& node : targets) calls.push_back(ask(s, node));
  auto answers = co_await gather(std::move(calls));
  std::vector<TargetStorage> out;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    out.push_back({std::move(targets[i]), std::move(answers[i])});
  }
  co_return out;
}

Table storage_table(const std::vector<TargetStorage>& targets) {
  Table table({{"TARGET"},
               {"MOUNTPATH"},
               {"STATE"},
               {"FS"},
               {"SIZE", Align::kRight},
               {"AVAILABLE", Align::kRight},
               {"USED", Align::kRight},
               {"OBJECTS", Align::kRight}});
  for (const TargetStorage& target : targets) {
    if (!target.says) {
      table.add_row({target.node.id, "-", "no answer", "-", "-", "-", "-", "-"});
      continue;
    }
    for (const MountpathInfo& info : target.says->mountpaths) {
      if (!info.is_open()) {
        table.add_row({target.node.id, info.path, info.state, "-", "-", "-", "-", "-"});
        continue;
      }
      table.add_row({target.node.id, info.path, info.state, info.fs, human_size(info.total_bytes),
                     human_size(info.available_bytes), percent_used(info),
                     std::to_string(info.objects)});
    }
  }
  return table;
}

JsonArray storage_json(const std::vector<TargetStorage>& targets) {
  JsonArray nodes;
  for (const TargetStorage& target : targets) {
    JsonObject node{{"id", target.node.id}};
    if (!target.says) {
      node["error"] = target.says.error().what();
      nodes.push_back(std::move(node));
      continue;
    }
    JsonArray mountpaths;
    for (const MountpathInfo& info : target.says->mountpaths) {
      mountpaths.push_back(mountpath_json(info));
    }
    node["mountpaths"] = std::move(mountpaths);
    node["settled"] = target.says->settled;
    node["resilver"] = resilver_json(target.says->resilver);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::vector<std::string> storage_alerts(const std::vector<TargetStorage>& targets) {
  std::vector<std::string> lines;
  for (const TargetStorage& target : targets) {
    if (!target.says) continue;
    for (const MountpathInfo& info : target.says->mountpaths) {
      if (!info.lacking && info.why.empty()) continue;
      std::string line = target.node.id + " " + info.path + " is " + info.state;
      if (!info.why.empty()) line += ": " + info.why;
      if (info.lacking) line += "; names that may be on it alone are answered 503";
      lines.push_back(printable(line));
    }
  }
  return lines;
}

std::vector<std::string> storage_remarks(const std::vector<TargetStorage>& targets) {
  std::vector<std::string> lines = storage_alerts(targets);
  const auto lacks = [](const MountpathInfo& info) { return info.lacking; };
  const bool lacking =
      std::any_of(targets.begin(), targets.end(), [&](const TargetStorage& target) {
        return target.says &&
               std::any_of(target.says->mountpaths.begin(), target.says->mountpaths.end(), lacks);
      });
  if (lacking) {
    lines.push_back(
        "Bring the disk back and: ais storage mountpath enable TARGET=PATH, or, if it is lost for "
        "good: ais storage mountpath give-up TARGET=PATH");
  }
  for (const TargetStorage& target : targets) {
    if (!target.says) {
      lines.push_back(
          printable(target.node.id + " does not answer: " + target.says.error().what()));
      continue;
    }
    if (target.says->settled) continue;
    const ResilverProgress& p = target.says->resilver;
    std::string line =
        target.node.id + " moves names between its mountpaths: " + std::to_string(p.names_moved) +
        " (" + human_size(p.bytes_moved) + ") moved, " + std::to_string(left_of(p)) + " to look at";
    if (!p.why.empty()) line += "; one cannot be moved: " + p.why;
    lines.push_back(printable(line));
  }
  return lines;
}

}  // namespace aisfs::cli
