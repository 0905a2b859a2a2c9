// SPDX-License-Identifier: MIT
#include "node/front/native/node_actions.h"

#include <boost/json/array.hpp>

#include "common/auth/authorize.h"
#include "node/front/native/job_routes.h"
#include "node/front/native/rebalance_status.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::string_view kShutdown = "shutdown-node";

std::optional<NodeAction> action_of(std::string_view name) {
  if (name == "start-maintenance") return NodeAction::kStartMaintenance;
  if (name == "stop-maintenance") return NodeAction::kStopMaintenance;
  if (name == "decommission-node") return NodeAction::kDecommission;
  return std::nullopt;
}

bool is_true(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

/// {"sid": "t1"} or {"sids": ["t1"]}.
Result<std::string> node_of(const json::value& value) {
  std::string id = text_member(value, "sid");
  if (!id.empty()) return id;
  const json::value* list = member(value, "sids");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    return Error(Errc::invalid_argument, "value.sid names the node");
  }
  const json::array& ids = list->get_array();
  if (ids.size() > 1) {
    return Error(Errc::unsupported, "nodes are changed one after the other, not as a list");
  }
  if (!ids[0].is_string()) return Error(Errc::invalid_argument, "value.sids holds names of nodes");
  return std::string(ids[0].get_string());
}

Task<Status> act(Call& call, ActionMessage message) {
  const auto action = action_of(message.action);
  if (!action && message.action != kShutdown) {
    co_return Error(Errc::unsupported,
                    "action \"" + message.action + "\" is not supported; see ais cluster --help");
  }
  CO_CHECK_OK(auth::authorize(call.context.who, auth::Action::kManageNodes));
  CO_TRY(std::string id, node_of(message.value));
  if (is_true(message.value, "skip_rebalance")) {
    co_return Error(Errc::unsupported,
                    "skip_rebalance: objects would be out of reach, and names always move here");
  }
  if (!action) co_return co_await call.admin.shut_down_node(call.context, std::move(id));
  co_return co_await call.admin.change_node(call.context, std::move(id), *action);
}

}  // namespace

Task<void> serve_node_action(Call& call) {
  auto message = co_await read_action(call.body);
  if (!message) co_return co_await reply_error(call, std::move(message).error());
  if (message->action == "start" || message->action == "stop") {
    co_return co_await serve_job_action(call, *std::move(message));
  }
  const bool moves = message->action != kShutdown;
  Status done = co_await act(call, *std::move(message));
  if (!done) co_return co_await reply_error(call, std::move(done).error());
  const MapSnapshot map = call.maps.current();
  co_await reply_text(call, moves && !map->placement.settled() ? rebalance_id(*map) : "");
}

}  // namespace aisfs::native
