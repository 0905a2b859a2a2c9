// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

struct CreateOptions {
  std::vector<std::string> buckets;
  std::string props;
};

Task<Status> run_create(Session& s, const CreateOptions& options) {
  BucketProps props{.copies = BucketProps::kAutoCopies};
  std::string_view rest = options.props;
  while (!rest.empty()) {
    const auto blank = rest.find_first_of(" ,");
    CO_CHECK_OK(set_property(props, rest.substr(0, blank)));
    rest.remove_prefix(blank == rest.npos ? rest.size() : blank + 1);
  }
  for (const std::string& text : options.buckets) {
    CO_TRY(BucketName name, parse_bucket(text));
    CO_TRY(const Bucket bucket, co_await s.admin().create_bucket(s.context(), name, props));
    const bool alone = props.copies == BucketProps::kAutoCopies && bucket.props.copies == 1;
    s.out.done("\"" + bucket.name.display() + "\" created" +
                   (alone ? ", with one copy of each object: all targets are on one host" : ""),
               bucket_json(bucket));
  }
  co_return Status{};
}

}  // namespace

void add_create(Command& root) {
  auto options = std::make_shared<CreateOptions>();
  Command& create = root.sub("create", "Create buckets");
  create.words("bucket", options->buckets, Names::kText, "BUCKET...");
  create.option("--props", options->props, "LIST", "NAME=VALUE,... as in ais bucket props set");
  create.examples("  ais create ais://demo\n  ais create scratch --props write_level=none");
  create.action([options](Session& s) { return run_create(s, *options); });
}

}  // namespace aisfs::cli
