// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

struct RmbOptions {
  std::vector<std::string> buckets;
  bool force = false;
};

Task<Status> run_rmb(Session& s, const RmbOptions& options) {
  for (const std::string& text : options.buckets) {
    CO_TRY(BucketName name, parse_bucket(text));
    CO_CHECK_OK(co_await s.admin().destroy_bucket(s.context(), name, options.force));
    s.out.done("\"" + name.display() + "\" destroyed", {{"destroyed", name.display()}});
  }
  co_return Status{};
}

}  // namespace

void add_rmb(Command& root) {
  auto options = std::make_shared<RmbOptions>();
  Command& rmb = root.sub("rmb", "Destroy buckets");
  rmb.words("bucket", options->buckets, Names::kBucket, "BUCKET...");
  rmb.flag("-f,--force", options->force, "With all objects in them");
  rmb.examples("  ais rmb ais://scratch\n  ais rmb -f ais://scratch");
  rmb.action([options](Session& s) { return run_rmb(s, *options); });
}

}  // namespace aisfs::cli
