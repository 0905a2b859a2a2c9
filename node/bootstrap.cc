// SPDX-License-Identifier: MIT
#include "node/bootstrap.h"

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/client/retry.h"
#include "common/obs/log.h"
#include "node/control/admin_keys.h"
#include "node/control/ops/ops.h"

namespace aisfs::node {
namespace {

std::string fresh_uuid() {
  std::string hex = to_hex(as_bytes(random_bytes(16)));
  for (const std::size_t at : {20u, 16u, 12u, 8u}) hex.insert(at, "-");
  return hex;
}

/// Until the store has answered; made twice it is made once.
Task<Status> make_cluster(BootstrapDeps deps, Deadline deadline) {
  Backoff backoff;
  while (true) {
    Status made = co_await deps.plane.maps().bootstrap(fresh_uuid(), deps.key);
    if (made || !may_retry(made.error(), Replay::kSafe)) co_return made;
    const bool waited = co_await backoff.wait(deadline);
    if (!waited) co_return made;
  }
}

/// Another gateway makes it: perhaps at this moment.
Task<Status> wait_for_cluster(BootstrapDeps deps, Deadline deadline) {
  Backoff backoff;
  while (true) {
    auto draft = co_await deps.plane.maps().load();
    if (draft) co_return Status{};
    const bool waited = co_await backoff.wait(deadline);
    if (!waited) co_return std::move(draft).error();
  }
}

}  // namespace

Task<Status> prepare_cluster(BootstrapDeps deps) {
  const Deadline deadline = Deadline::after(deps.config.join_timeout());
  // Who belongs to a cluster makes no second one, wherever it looks for the first.
  if (deps.config.bootstrap() && deps.identity.cluster_uuid.empty()) {
    CO_CHECK_OK(co_await make_cluster(deps, deadline));
  } else if (!deps.embedded) {
    CO_CHECK_OK(co_await wait_for_cluster(deps, deadline));
  }
  const std::string id = deps.identity.id, holder = deps.embedded ? id : "";
  CO_CHECK_OK(co_await deps.plane.maps().check_key(deps.key));
  const control::MapStore::Edit hold = [holder](control::MapDraft& draft) -> Status {
    draft.map.store_node = holder;
    return {};
  };
  CO_TRY(const auto draft, co_await deps.plane.change(hold));
  if (!draft.map.users.empty() || !deps.config.bootstrap()) co_return Status{};
  const std::string file = deps.config.data_dir() + "/admin.keys";
  CO_TRY(const auto keys, control::admin_keys(file));
  CreateUser admin{"admin", "Administrator", true, keys.access_key, keys.secret_key};
  CO_TRY(const auto made,
         co_await control::ops::create_user(deps.plane, auth::node_identity(id), std::move(admin)));
  LOG_INFO("administrator created", "user", made.id, "keys", file);
  co_return Status{};
}

}  // namespace aisfs::node
