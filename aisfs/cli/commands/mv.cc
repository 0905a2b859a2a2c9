// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

struct MvArguments {
  std::string from, to;
  bool no_replace = false;
};

std::string without_slash(std::string key) {
  while (key.ends_with('/')) key.pop_back();
  return key;
}

/// "demo/b/" or "demo" as a destination means: there, under the old name.
Location destination_of(const Location& from, Location to) {
  if (to.key.empty() || to.key.ends_with('/')) to.key += base_name(from.key);
  return to;
}

Task<Status> move_object(Session& s, const Location& from, const Location& to, bool no_replace) {
  ObjectName source = from.object(), destination = to.object();
  RenameOptions options;
  options.no_replace = no_replace;
  CO_TRY(ObjectInfo info, co_await s.objects().rename(s.context(), source, destination, options));
  co_return Status{};
}

Task<Status> run_mv(Session& s, const MvArguments& arguments) {
  CO_TRY(Location from, parse_object(arguments.from));
  CO_TRY(Location to, parse_location(arguments.to));
  if (from.bucket != to.bucket) co_return Error(Errc::cross_device, "cannot move between buckets");
  const std::string path = without_slash(from.key);
  CO_TRY(const LookupReply found, co_await s.objects().lookup(s.context(), from.bucket, path));
  to = destination_of(from, std::move(to));
  if (found.kind == LookupReply::Kind::kDirectory) {
    CO_CHECK_OK(co_await s.objects().rename_dir(s.context(), from.bucket, path,
                                                without_slash(to.key), arguments.no_replace));
  } else {
    CO_CHECK_OK(co_await move_object(s, from, to, arguments.no_replace));
  }
  s.out.done(from.display() + " => " + to.display(),
             {{"from", printable(from.display())}, {"to", printable(to.display())}});
  co_return Status{};
}

}  // namespace

void add_mv(Command& root) {
  auto a = std::make_shared<MvArguments>();
  Command& mv = root.sub("mv", "Rename an object or a folder on the server; moves no bytes");
  mv.word("from", a->from, Names::kObject, Command::Need::kRequired,
          "BUCKET/NAME or BUCKET/FOLDER");
  mv.word("to", a->to, Names::kObject, Command::Need::kRequired,
          "BUCKET/NAME; a '/' at the end keeps the name");
  mv.flag("-n,--no-replace", a->no_replace, "Fail if the destination is there");
  mv.examples("  ais mv demo/a.tar demo/b.tar\n  ais mv demo/2026 demo/old/");
  mv.action([a](Session& s) { return run_mv(s, *a); });
}

}  // namespace aisfs::cli
