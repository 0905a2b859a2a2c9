// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/location.h"

namespace aisfs::cli {
namespace {

struct PropsArguments {
  std::string bucket;
  std::vector<std::string> assignments;
};

Task<Status> show_props(Session& s, const PropsArguments& arguments) {
  CO_TRY(BucketName name, parse_bucket(arguments.bucket));
  CO_TRY(const Bucket bucket, co_await s.admin().find_bucket(s.context(), name));
  if (s.out.json())
    s.out.json_line(bucket_json(bucket));
  else
    print_bucket(s.out, bucket);
  co_return Status{};
}

Task<Status> set_props(Session& s, const PropsArguments& arguments) {
  CO_TRY(BucketName name, parse_bucket(arguments.bucket));
  CO_TRY(const Bucket before, co_await s.admin().find_bucket(s.context(), name));
  BucketProps props = before.props;
  for (const std::string& assignment : arguments.assignments) {
    CO_CHECK_OK(set_property(props, assignment));
  }
  if (props == before.props) {
    s.out.done("\"" + name.display() + "\" has these values already", bucket_json(before));
    co_return Status{};
  }
  CO_TRY(const Bucket after, co_await s.admin().set_bucket_props(s.context(), name, props));
  s.out.done("Bucket props successfully updated.", bucket_json(after));
  co_return Status{};
}

}  // namespace

void add_bucket(Command& root) {
  Command& bucket = root.sub("bucket", "Properties of buckets; whole buckets copied or renamed");
  Command& props = bucket.sub("props", "Show or set properties");
  auto a = std::make_shared<PropsArguments>();

  Command& show = props.sub("show", "Show all properties");
  show.word("bucket", a->bucket, Names::kBucket, Command::Need::kRequired, "BUCKET");
  show.action([a](Session& s) { return show_props(s, *a); });

  Command& set = props.sub("set", "Set properties");
  set.word("bucket", a->bucket, Names::kBucket, Command::Need::kRequired, "BUCKET");
  set.words("property", a->assignments, Names::kText, "NAME=VALUE...");
  set.examples("  ais bucket props set demo write_level=data verify_read=always");
  set.action([a](Session& s) { return set_props(s, *a); });

  add_bucket_copy(bucket);
}

}  // namespace aisfs::cli
