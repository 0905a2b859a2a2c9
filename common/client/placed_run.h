// SPDX-License-Identifier: MIT
// The loops of PlacedObjects around each operation.
#pragma once
#include <algorithm>
#include <type_traits>

#include "common/async/gather.h"
#include "common/client/counted_source.h"
#include "common/client/placed_objects.h"
#include "common/client/replayed_source.h"
#include "common/client/sendings.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"

namespace aisfs {
namespace placed {

inline Error no_target() { return Error(Errc::not_ready, "no target is active in the cluster"); }

/// Why nobody answers for the name.
inline Error no_owner(const ClusterMap& map, const ObjectName& name) {
  if (!placement::is_handed_over(map, name)) return no_target();
  return Error(Errc::stale_map, name.display() + " is being handed over to another target");
}

inline Error no_place(const ObjectName& name) {
  return Error(Errc::not_found, name.display() + " does not exist");
}

/// The time that a body may take when the caller named none: one that is slower than this is not
/// waited for beyond the operation's timeout.
inline Duration body_time(const BodySource& body) {
  constexpr std::uint64_t kBytesPerSecond = 1 << 20;
  constexpr Duration kUnknownMax = std::chrono::hours(24);
  const auto size = body.remaining();
  if (!size) return kUnknownMax;
  return std::chrono::seconds(*size / kBytesPerSecond);
}

}  // namespace placed

template <class Step>
auto PlacedObjects::attempt_at(MapSnapshot map, Context context, ObjectName place, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&> {
  const NodeInfo* owner = placement::owner_of(*map, place);
  if (owner == nullptr) co_return placed::no_owner(*map, place);
  const std::shared_ptr<ObjectApi> api = api_of_(*owner);
  auto task = step(*api, context, place);
  co_return co_await std::move(task);
}

template <class Step>
auto PlacedObjects::attempt(MapSnapshot map, Context context, ObjectName name, Use use, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&> {
  context.epoch = map->epoch;
  const Bucket* bucket = use == Use::kUpload ? nullptr : mapped_bucket(*map, name.bucket);
  if (bucket == nullptr) {
    co_return co_await attempt_at(std::move(map), std::move(context), std::move(name), step);
  }
  if (use == Use::kChange) {
    CO_TRY(ObjectName home, co_await settled(map, context, std::move(name)));
    co_return co_await attempt_at(std::move(map), std::move(context), std::move(home), step);
  }
  placement::Places places = placement::places_of(*map, bucket->id, name.key);
  if (places.home.empty()) co_return placed::no_place(name);
  if (use == Use::kHome) places.sources.clear();
  for (std::string& key : places.sources) {
    ObjectName source{name.bucket, std::move(key)};
    auto found = co_await attempt_at(map, context, std::move(source), step);
    if (found.ok() || found.error() != Errc::not_found) co_return found;
  }
  name.key = std::move(places.home);
  co_return co_await attempt_at(std::move(map), std::move(context), std::move(name), step);
}

template <class Step>
auto PlacedObjects::at_owner(Context context, ObjectName name, Use use, Replay replay, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&> {
  context.deadline = bounded(context.deadline);
  Backoff backoff;
  Sendings sendings(replay);
  for (;;) {
    const MapSnapshot map = maps_.current();
    // By reference: the step's arguments are large, and it outlives the attempt.
    const auto once = [&](ObjectApi& api, const Context& c, const ObjectName& place) {
      return step(api, sendings.next(api, c), place);
    };
    auto result = co_await attempt(map, context, name, use, once);
    if (result.ok()) co_return result;
    const Errc code = result.error().code();
    const bool again = sendings.may_go_on(result.error()) &&
                       co_await prepare_retry(code, map->epoch, backoff, context.deadline);
    if (!again) co_return sendings.told(std::move(result).error());
  }
}

template <class Step>
auto PlacedObjects::with_body(
    Context context, ObjectName name, Use use, Replay replay, BodySource& body, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&, const ObjectName&, BodySource&> {
  const Deadline retry_until = bounded(context.deadline);
  if (context.deadline.at() == Deadline().at()) {
    context.deadline = Deadline::after(operation_timeout_ + placed::body_time(body));
  }
  Backoff backoff;
  Sendings sendings(replay);
  const bool empty = body.remaining() == 0;  // nobody needs to read it
  ReplayedSource replayed(body);
  for (;;) {
    const MapSnapshot map = maps_.current();
    CountedSource counted(replayed);
    const auto once = [&](ObjectApi& api, const Context& c, const ObjectName& place) {
      return step(api, sendings.next(api, c), place, counted);
    };
    auto result = co_await attempt(map, context, name, use, once);
    if (result.ok()) co_return result;
    const Error& why = result.error();
    // Of a body that was never touched nothing can have been published.
    const bool read = counted.touched() || empty;
    const bool may = read ? sendings.may_go_on(why) : sendings.may_go_on_unread(why);
    const bool again = may && !counted.failed() && (!counted.touched() || replayed.rewind()) &&
                       co_await prepare_retry(why.code(), map->epoch, backoff, retry_until);
    if (!again) co_return sendings.told(std::move(result).error());
  }
}

namespace placed {

/// Whether a listing is whole without the pages of so many targets: every name lies on others, too.
inline bool others_list_all(const ClusterMap& map, const Bucket* bucket, std::size_t silent) {
  if (silent == 0) return true;
  if (bucket == nullptr || !map.placement.settled()) return false;
  return silent < std::min<std::size_t>(map.least_copies(*bucket), map.active_targets().size());
}

}  // namespace placed

template <class T, class Step>
Task<Result<std::vector<T>>> PlacedObjects::everywhere_once(MapSnapshot map,
                                                            Context context,
                                                            const Bucket* bucket,
                                                            Step step) {
  context.epoch = map->epoch;
  std::vector<std::shared_ptr<ObjectApi>> apis;
  for (const NodeInfo* node : map->holding_targets()) {
    // What only an absent node holds is unknown, so nothing may be said about all names; and one
    // that has come back holds what was replaced or removed meanwhile.
    const bool away = node->state == NodeState::kAway;
    if (!away && node->state != NodeState::kJoining) {
      apis.push_back(api_of_(*node));
    } else if (bucket == nullptr || !placement::needed_for_all(*map, *bucket).empty()) {
      co_return Error(Errc::not_ready, "target " + node->id +
                                           (away ? " is away" : " compares what it holds"));
    }
  }
  if (apis.empty()) co_return placed::no_target();
  std::vector<Task<Result<T>>> tasks;
  for (const auto& api : apis) tasks.push_back(step(*api, context));
  auto results = co_await gather(std::move(tasks));
  const auto not_ready = [](const Result<T>& r) { return !r && r.error() == Errc::not_ready; };
  const auto silent = static_cast<std::size_t>(std::ranges::count_if(results, not_ready));
  std::vector<T> values;
  for (auto& result : results) {
    if constexpr (std::is_same_v<T, ListPage>) {
      // It has a disk out of reach, say.
      if (not_ready(result) && placed::others_list_all(*map, bucket, silent)) continue;
    }
    CO_TRY(T value, std::move(result));
    values.push_back(std::move(value));
  }
  co_return values;
}

template <class Attempt>
auto PlacedObjects::with_maps(Context context, Replay replay, Attempt attempt)
    -> std::invoke_result_t<Attempt&, MapSnapshot, Context> {
  context.deadline = bounded(context.deadline);
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = maps_.current();
    auto task = attempt(map, context);
    auto result = co_await std::move(task);
    if (result.ok() || !may_retry(result.error(), replay)) co_return result;
    const Errc code = result.error().code();
    if (!co_await prepare_retry(code, map->epoch, backoff, context.deadline)) co_return result;
  }
}

template <class T, class Step>
Task<Result<std::vector<T>>> PlacedObjects::everywhere(Context context, Step step) {
  auto attempt = [this, &step](MapSnapshot map, Context c) {
    return everywhere_once<T>(std::move(map), std::move(c), nullptr, step);
  };
  co_return co_await with_maps(std::move(context), Replay::kSafe, std::move(attempt));
}

}  // namespace aisfs
