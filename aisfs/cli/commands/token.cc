// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/units.h"

namespace aisfs::cli {
namespace {

Task<Status> create_token(Session& s, const std::string& lifetime_text) {
  CO_TRY(const Duration lifetime, parse_duration(lifetime_text));
  CO_TRY(const std::string token, co_await s.admin().create_token(s.context(), lifetime));
  s.out.done(token, {{"token", token}});
  co_return Status{};
}

}  // namespace

void add_token(Command& root) {
  Command& token = root.sub("token", "Bearer tokens for the SDK");
  auto lifetime = std::make_shared<std::string>("24h");
  Command& create = token.sub("create", "Make a token that stands for the caller");
  create.option("--lifetime", *lifetime, "TIME", "It ends after this (24h)");
  create.examples("  export AIS_AUTHN_TOKEN=$(ais token create --lifetime 12h)");
  create.action([lifetime](Session& s) { return create_token(s, *lifetime); });
}

}  // namespace aisfs::cli
