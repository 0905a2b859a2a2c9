// SPDX-License-Identifier: MIT
#include "common/client/map_follower.h"

#include "common/client/remote_call.h"
#include "common/client/retry.h"
#include "common/wire/map_watch.h"

namespace aisfs {
namespace {

// What a poll may take beyond the wait that it asks for.
constexpr Duration kPollSlack = std::chrono::seconds(5);
constexpr Duration kFirstAttempt = std::chrono::milliseconds(1500);  // while there are others
constexpr Duration kLastAttempt = std::chrono::seconds(5);

NodeInfo seed_node(const Endpoint& at) {
  NodeInfo node;
  node.id = at.to_string();
  node.public_net = at;
  return node;
}

bool is_final(const Error& error) {
  return error == Errc::unauthenticated || error == Errc::permission_denied ||
         error == Errc::unsupported;
}

}  // namespace

MapFollower::MapFollower(asio::any_io_executor ex,
                         Transport& transport,
                         std::vector<Endpoint> seeds)
    : transport_(transport), seeds_(std::move(seeds)), scope_(std::move(ex)) {}

MapFollower::~MapFollower() = default;

Task<Status> MapFollower::fetch_first(Deadline deadline) {
  std::string tried;
  for (const Endpoint& seed : seeds_) {
    const bool last = &seed == &seeds_.back();
    const Deadline attempt = deadline.earlier(Deadline::after(last ? kLastAttempt : kFirstAttempt));
    Context context{.who = {}, .deadline = attempt, .trace = {}};
    wire::MapWatchRequest request;
    auto map = co_await call<ClusterMap>(transport_, seed_node(seed), std::move(context),
                                         std::string(wire::kMapWatchMethod), request);
    if (map) {
      keep(*std::move(map), seed);
      co_return Status{};
    }
    if (is_final(map.error())) co_return std::move(map).error();
    tried += (tried.empty() ? "" : ", ") + seed.to_string() + " (" + map.error().what() + ")";
  }
  if (seeds_.empty()) co_return Error(Errc::invalid_argument, "no address of a cluster was given");
  co_return Error(Errc::unreachable, "no node of the cluster answers: " + tried);
}

void MapFollower::start() { scope_.spawn(follow()); }

Task<void> MapFollower::finish() {
  ending_ = true;
  scope_.cancel();
  co_await scope_.join();
}

Task<void> MapFollower::follow() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Backoff backoff;
  while (!ending_) {
    const Duration wait = std::chrono::milliseconds(wire::kMapWatchMsMax);
    auto map = co_await poll(epoch(), Deadline::after(wait));
    if (map) {
      backoff = Backoff();
    } else if (!ending_) {
      co_await backoff.wait(Deadline());
    }
  }
}

Task<Result<MapSnapshot>> MapFollower::poll(Epoch known, Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left());
  wire::MapWatchRequest request;
  request.known = known;
  request.wait_ms = static_cast<std::uint32_t>(
      std::min<std::int64_t>(left.count(), wire::kMapWatchMsMax));
  NodeInfo node = next_node();
  const Duration bound = std::chrono::milliseconds(request.wait_ms) + kPollSlack;
  Context context{.who = {}, .deadline = Deadline::after(bound), .trace = {}};
  const Endpoint asked = node.public_net;
  CO_TRY(auto map, co_await call<ClusterMap>(transport_, std::move(node), std::move(context),
                                             std::string(wire::kMapWatchMethod), request));
  co_return keep(std::move(map), asked);
}

Task<Result<MapSnapshot>> MapFollower::at_least(Epoch wanted, Deadline deadline) {
  Backoff backoff;
  for (;;) {
    if (MapSnapshot map = current(); map->epoch >= wanted) co_return map;
    if (deadline.expired()) break;
    auto map = co_await poll(wanted - 1, deadline);
    if (map && (*map)->epoch >= wanted) co_return *map;
    if (!co_await backoff.wait(deadline)) break;
  }
  co_return Error(Errc::unreachable,
                  "no node has the cluster map of epoch " + std::to_string(wanted) + " yet");
}

MapSnapshot MapFollower::current() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

Epoch MapFollower::epoch() const {
  const std::lock_guard lock(mutex_);
  return map_ ? map_->epoch : 0;
}

NodeInfo MapFollower::next_node() {
  const std::lock_guard lock(mutex_);
  const std::size_t turn = turn_++;
  // The seeds stay in the round: after a move of the whole cluster only they may be right.
  const std::size_t known = map_ ? map_->nodes.size() : 0;
  const std::size_t at = turn % (known + seeds_.size());
  if (at >= known) return seed_node(seeds_[at - known]);
  return std::next(map_->nodes.begin(), static_cast<std::ptrdiff_t>(at))->second;
}

Endpoint MapFollower::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

MapSnapshot MapFollower::keep(ClusterMap map, const Endpoint& from) {
  auto snapshot = std::make_shared<const ClusterMap>(std::move(map));
  const std::lock_guard lock(mutex_);
  answered_ = from;
  // A cluster that was made anew at the same addresses counts from the start.
  const bool newer = !map_ || snapshot->uuid != map_->uuid || snapshot->epoch > map_->epoch;
  if (newer) map_ = std::move(snapshot);
  return map_;
}

}  // namespace aisfs
