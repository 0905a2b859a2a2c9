// SPDX-License-Identifier: MIT
#include "node/front/native/rebalance_status.h"

#include <boost/json/array.hpp>

#include "common/async/clock.h"
#include "common/async/gather.h"
#include "common/base/text.h"
#include "common/s3/date.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

constexpr std::string_view kKind = "rebalance";
constexpr std::string_view kNever = "0001-01-01T00:00:00Z";  // Go's zero time
// One that does not answer must not keep the others' numbers from whoever asks.
constexpr Duration kAnswerMax = std::chrono::seconds(5);

/// The epoch in "g12"; nullopt for what is no id of a rebalance.
std::optional<std::uint64_t> epoch_of(std::string_view id) {
  if (!id.starts_with('g')) return std::nullopt;
  return parse_u64(id.substr(1));
}

/// A later change of the targets takes over what is left of an earlier one.
bool has_ended(const ClusterMap& map, std::string_view id) {
  return map.placement.settled() ||
         epoch_of(id).value_or(map.placement.since) < map.placement.since;
}

std::string time_text(std::int64_t unix_ns) {
  return unix_ns == 0 ? std::string(kNever) : s3::iso_date(unix_ns);
}

json::object snap_json(const RebalanceProgress& progress) {
  const std::string names = std::to_string(progress.names_moved);
  const std::string bytes = std::to_string(progress.bytes_moved);
  return {{"id", "g" + std::to_string(progress.placement)},
          {"kind", kKind},
          {"start-time", time_text(progress.started_ns)},
          {"end-time", time_text(progress.running ? 0 : progress.ended_ns)},
          {"err", ""},
          {"abort-err", ""},
          {"aborted", false},
          {"is_idle", false},
          {"stats",
           {{"loc-objs", "0"},
            {"loc-bytes", "0"},
            {"out-objs", names},
            {"out-bytes", bytes},
            {"in-objs", "0"},
            {"in-bytes", "0"}}}};
}

Task<json::object> ask_targets(Call& call) {
  std::vector<std::string> ids;
  std::vector<Task<Result<RebalanceProgress>>> calls;
  Context context = call.context;
  context.deadline = context.deadline.earlier(Deadline::after(kAnswerMax));
  const MapSnapshot map = call.maps.current();
  for (const auto& [id, node] : map->nodes) {
    if (!node.stores() || node.state == NodeState::kAway) continue;
    ids.push_back(id);
    calls.push_back(call.admin.rebalance(context, id));
  }
  const auto answers = co_await gather(std::move(calls));
  json::object out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!answers[i] || answers[i]->started_ns == 0) continue;
    json::array snaps;
    snaps.push_back(snap_json(*answers[i]));
    out[ids[i]] = std::move(snaps);
  }
  co_return out;
}

}  // namespace

std::string rebalance_id(const ClusterMap& map) {
  return "g" + std::to_string(map.placement.since);
}

bool is_about_rebalance(const json::value& query) {
  const std::string id = text_member(query, "id"), kind = text_member(query, "kind");
  return id.empty() ? kind == kKind : epoch_of(id).has_value();
}

Task<void> reply_rebalance_status(Call& call, json::value query) {
  const MapSnapshot map = call.maps.current();
  std::string id = text_member(query, "id");
  if (id.empty()) id = rebalance_id(*map);
  json::object status{{"kind", kKind},
                      {"uuid", id},
                      {"err", ""},
                      {"end_time", has_ended(*map, id) ? RealClock().unix_ns() : 0},
                      {"aborted", false}};
  co_await reply_json(call, std::move(status));
}

Task<void> reply_rebalance_stats(Call& call) {
  json::object stats = co_await ask_targets(call);
  co_await reply_json(call, std::move(stats));
}

}  // namespace aisfs::native
