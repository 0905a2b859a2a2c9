// SPDX-License-Identifier: MIT
#include "node/front/native/mountpath_actions.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "common/auth/authorize.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::string_view kNodeHeader = "Ais-Node-Id";
constexpr int kNothingToDo = 204;

std::optional<MountpathAction> action_of(std::string_view name) {
  if (name == "attach-mp") return MountpathAction::kAttach;
  if (name == "detach-mp") return MountpathAction::kDetach;
  if (name == "enable-mp") return MountpathAction::kEnable;
  if (name == "disable-mp") return MountpathAction::kDisable;
  return std::nullopt;
}

/// {"action": "attach-mp", "value": "/mnt/a"}
Result<MountpathChange> change_of(const Call& call, const ActionMessage& message) {
  const auto action = action_of(message.action);
  if (!action) {
    return Error(Errc::unsupported, "action \"" + message.action + "\" is not supported");
  }
  if (!message.value.is_string()) {
    return Error(Errc::invalid_argument, "value is the path of the mountpath");
  }
  return MountpathChange{.action = *action,
                         .path = std::string(message.value.get_string()),
                         .skip_resilver = call.flag("dntres")};
}

bool is_in_state(const StorageInfo& storage, const MountpathChange& change) {
  for (const MountpathInfo& info : storage.mountpaths) {
    if (info.path != change.path) continue;
    const bool off = info.state == "disabled" || info.state == "disabling";
    if (change.action == MountpathAction::kEnable) return info.state == "active";
    return change.action == MountpathAction::kDisable && off;
  }
  return false;
}

/// True when there was something to do.
Task<Result<bool>> act(Call& call, std::string node) {
  CO_CHECK_OK(auth::authorize(call.context.who, auth::Action::kManageNodes));
  CO_TRY(const ActionMessage message, co_await read_action(call.body));
  CO_TRY(MountpathChange change, change_of(call, message));
  CO_TRY(const StorageInfo before, co_await call.admin.storage(call.context, node));
  if (is_in_state(before, change)) co_return false;
  CO_CHECK_OK(
      co_await call.admin.change_mountpath(call.context, std::move(node), std::move(change)));
  co_return true;
}

}  // namespace

Task<void> reply_mountpaths(Call& call, std::string node) {
  auto storage = co_await call.admin.storage(call.context, std::move(node));
  if (!storage) co_return co_await reply_error(call, std::move(storage).error());
  json::array available, waiting, disabled;
  for (const MountpathInfo& info : storage->mountpaths) {
    const bool leaving = info.state == "disabling" || info.state == "detaching";
    json::array& group = info.state == "active" ? available : leaving ? waiting : disabled;
    group.emplace_back(info.path);
  }
  json::object out{{"available", std::move(available)},
                   {"waiting_dd", std::move(waiting)},
                   {"disabled", std::move(disabled)}};
  co_await reply_json(call, std::move(out));
}

Task<void> serve_mountpath_action(Call& call, std::string node) {
  auto done = co_await act(call, std::move(node));
  if (!done) co_return co_await reply_error(call, std::move(done).error());
  co_await reply_text(call, "", *done ? 200 : kNothingToDo);
}

Task<void> serve_reverse(Call& call) {
  const std::string node(call.field(kNodeHeader));
  const std::string& path = call.target().path;
  const bool reads = call.method() == http::Method::kGet && path == "/v1/reverse/daemon" &&
                     call.query("what") == "mountpaths";
  const bool changes =
      call.method() != http::Method::kGet && path == "/v1/reverse/daemon/mountpaths";
  if (!reads && !changes) {
    return reply_error(call, Error(Errc::unsupported, path + " is not supported"));
  }
  if (node.empty()) {
    return reply_error(call, Error(Errc::invalid_argument, "Ais-Node-Id names the node"));
  }
  return reads ? reply_mountpaths(call, node) : serve_mountpath_action(call, node);
}

}  // namespace aisfs::native
