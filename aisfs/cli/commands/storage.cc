// SPDX-License-Identifier: MIT
// The disks of targets.
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/commands/storage_view.h"
#include "common/async/offload.h"

namespace aisfs::cli {
namespace {

struct MountpathArguments {
  std::string where;  // TARGET=PATH
  bool skip_resilver = false;
  bool yes = false;
};

struct MountpathVerb {
  MountpathAction action;
  std::string_view name;
  std::string_view done;          // behind "mountpath t1=/mnt/a "
  std::string_view done_at_once;  // with --no-resilver
};

constexpr MountpathVerb kAttach{MountpathAction::kAttach, "attach",
                                "is in use: its names move to it (ais storage show)", ""};
constexpr MountpathVerb kDetach{MountpathAction::kDetach, "detach",
                                "leaves as soon as its names are on the others (ais storage show)",
                                "is not in use any more; what only it holds is answered 503"};
constexpr MountpathVerb kEnable{MountpathAction::kEnable, "enable",
                                "is in use: its names move to it (ais storage show)", ""};
constexpr MountpathVerb kDisable{
    MountpathAction::kDisable, "disable",
    "is taken out as soon as its names are on the others (ais storage show)",
    "is not in use any more; what only it holds is answered 503"};
constexpr MountpathVerb kGiveUp{MountpathAction::kGiveUp, "give-up",
                                "has been given up with what it held", ""};

struct Where {
  std::string node, path;
};

Result<Where> parse_where(const std::string& text) {
  const std::size_t at = text.find('=');
  if (at != std::string::npos && at > 0 && text.substr(at + 1).starts_with('/')) {
    return Where{text.substr(0, at), text.substr(at + 1)};
  }
  return Error(Errc::invalid_argument,
               "\"" + text + "\" is not TARGET=PATH, as in t1a2b3c4=/mnt/disk2");
}

/// Nobody gives up a disk by a slip of the finger.
Task<Status> confirm(Session& s, const MountpathArguments& arguments, const Where& where) {
  if (arguments.yes) co_return Status{};
  s.out.ask("What only " + arguments.where +
            " holds is lost for good, and the disk can never come back with it.\n"
            "Type the path to go on:");
  ReadLine read = s.read_line;
  const std::optional<std::string> typed = co_await offload(s.files, std::move(read));
  if (typed == where.path) co_return Status{};
  co_return Error(Errc::invalid_argument,
                  "not confirmed, nothing was done; scripts confirm by --yes");
}

Task<Status> change(Session& s, const MountpathArguments& arguments, MountpathVerb verb) {
  CO_TRY(const Where where, parse_where(arguments.where));
  if (verb.action == MountpathAction::kGiveUp) {
    CO_CHECK_OK(co_await confirm(s, arguments, where));
  }
  MountpathChange change{verb.action, where.path, arguments.skip_resilver};
  CO_CHECK_OK(co_await s.admin().change_mountpath(s.context(), where.node, std::move(change)));
  const std::string_view done = arguments.skip_resilver ? verb.done_at_once : verb.done;
  s.out.done("mountpath " + arguments.where + " " + std::string(done),
             {{"node", where.node}, {"path", where.path}, {"action", verb.name}});
  co_return Status{};
}

Task<Status> show(Session& s, const std::string& node) {
  const MapSnapshot map = s.map().current();
  std::vector<NodeInfo> nodes;
  for (const auto& [id, info] : map->nodes) {
    if (info.stores() && (node.empty() || node == id)) nodes.push_back(info);
  }
  if (nodes.empty() && !node.empty()) {
    co_return Error(Errc::not_found, "there is no target " + node + "; see ais show cluster");
  }
  const std::vector<TargetStorage> targets = co_await ask_storage(s, std::move(nodes));
  if (s.out.json()) {
    s.out.json_line(JsonObject{{"targets", storage_json(targets)}});
    co_return Status{};
  }
  Table table = storage_table(targets);
  s.out.table(table);
  const auto remarks = storage_remarks(targets);
  if (!remarks.empty()) s.out.line("");
  for (const std::string& line : remarks) s.out.line(line);
  co_return Status{};
}

void add_storage_show(Command& group) {
  auto node = std::make_shared<std::string>();
  Command& command = group.sub("show", "State and use of the mountpaths of targets");
  command.word("target", *node, Names::kNode, Command::Need::kOptional,
               "Its id; all targets without");
  command.examples(
      "  ais storage show\n"
      "  ais storage show --json | jq '.targets[].mountpaths'");
  command.action([node](Session& s) { return show(s, *node); });
}

Command& add_verb(Command& group,
                  const std::string& doc,
                  const std::shared_ptr<MountpathArguments>& arguments,
                  MountpathVerb verb) {
  Command& command = group.sub(std::string(verb.name), doc);
  command.word("mountpath", arguments->where, Names::kNode, Command::Need::kRequired,
               "TARGET=PATH");
  command.action([arguments, verb](Session& s) { return change(s, *arguments, verb); });
  return command;
}

void add_taking_out(Command& group, const std::string& doc, MountpathVerb verb) {
  auto arguments = std::make_shared<MountpathArguments>();
  Command& command = add_verb(group, doc, arguments, verb);
  command.flag("--no-resilver", arguments->skip_resilver,
               "At once: names that are on it alone are answered 503 until it is back");
  const std::string line = "  ais storage mountpath " + std::string(verb.name);
  command.examples(line + " t1a2b3c4=/mnt/disk2\n" + line +
                   " --no-resilver t1a2b3c4=/mnt/disk2\n\n"
                   "Its names move to the target's other mountpaths first, while clients go on.\n"
                   "Refused for the last one.");
}

void add_mountpath(Command& storage) {
  Command& group = storage.sub("mountpath", "Add, take out and bring back disks of a target");
  group.examples("  ais storage mountpath attach t1a2b3c4=/mnt/disk3");
  add_storage_show(group);
  add_verb(group, "Use an empty folder, or a disk that is back",
           std::make_shared<MountpathArguments>(), kAttach)
      .examples(
          "  ais storage mountpath attach t1a2b3c4=/mnt/disk3\n\n"
          "The target remembers it; its configuration need not name it.");
  add_verb(group, "Use a disk again that was disabled, has failed or was missing",
           std::make_shared<MountpathArguments>(), kEnable)
      .examples(
          "  ais storage mountpath enable t1a2b3c4=/mnt/disk2\n\n"
          "What was written or deleted since counts; older states on the disk do not.");
  add_taking_out(group, "Empty a disk and take it out for a while", kDisable);
  add_taking_out(group, "Empty a disk and forget it", kDetach);
  auto lost = std::make_shared<MountpathArguments>();
  Command& give_up =
      add_verb(group, "Say that a disk is lost with what only it held", lost, kGiveUp);
  give_up.flag("-y,--yes", lost->yes, "Ask nothing");
  give_up.examples(
      "  ais storage mountpath give-up t1a2b3c4=/mnt/disk2\n\n"
      "From then on names that only it had are not found.");
}

}  // namespace

void add_storage(Command& root) {
  Command& storage = root.sub("storage", "Disks of targets: state, capacity, changes, damage");
  storage.examples("  ais storage show");
  add_storage_show(storage);
  add_mountpath(storage);
  add_scrub(storage);
}

}  // namespace aisfs::cli
