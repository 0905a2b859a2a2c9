// SPDX-License-Identifier: MIT
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {

Task<Status> remove_user(ControlPlane& plane, auth::Identity who, std::string id) {
  CO_CHECK_OK(need_admin(who));
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    auto& users = draft.map.users;
    if (!users.contains(id)) return Error(Errc::not_found, "user \"" + id + "\" does not exist");
    for (const auto& [_, bucket] : draft.map.buckets) {
      if (bucket.owner == id) {
        return Error(Errc::busy, "user \"" + id + "\" owns bucket " + bucket.name.display() +
                                     "; destroy it first");
      }
    }
    const auto admins = std::count_if(users.begin(), users.end(),
                                      [](const auto& user) { return user.second.admin; });
    if (users.at(id).admin && admins == 1) {
      return Error(Errc::busy, "\"" + id + "\" is the last administrator");
    }
    users.erase(id);
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  static_cast<void>(draft);
  co_return Status{};
}

}  // namespace aisfs::control::ops
