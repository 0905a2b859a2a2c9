// SPDX-License-Identifier: MIT
#include "common/auth/authorize.h"

namespace aisfs::auth {
namespace {

Error denied(const Identity& who, Action action, std::string_view where) {
  std::string text = who.is_anonymous() ? "an anonymous client" : "user \"" + who.user() + "\"";
  text.append(" may not ").append(to_string(action)).append(where);
  return Error(Errc::permission_denied, std::move(text));
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kRead: return "read";
    case Action::kWrite: return "write";
    case Action::kAdministerBucket: return "administer";
    case Action::kListBuckets: return "list buckets";
    case Action::kCreateBucket: return "create buckets";
    case Action::kCreateToken: return "create tokens";
    case Action::kShowCluster: return "see the cluster";
    case Action::kManageUsers: return "manage users";
    case Action::kManageNodes:
      return "manage nodes";
  }
  return "do that";
}

Status authorize(const Identity& who, Action action, const Bucket& bucket) {
  if (who.is_admin()) return {};
  const bool in_bucket = action == Action::kRead || action == Action::kWrite ||
                         action == Action::kAdministerBucket;
  if (in_bucket && !who.is_anonymous() && who.user() == bucket.owner) return {};
  return denied(who, action, " in bucket \"" + bucket.name.display() + "\"");
}

Status authorize(const Identity& who, Action action) {
  if (who.is_admin()) return {};
  const bool for_everybody = action == Action::kListBuckets || action == Action::kCreateBucket ||
                             action == Action::kCreateToken || action == Action::kShowCluster;
  if (for_everybody && !who.is_anonymous()) return {};
  return denied(who, action, "");
}

}  // namespace aisfs::auth
