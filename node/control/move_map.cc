// SPDX-License-Identifier: MIT
#include "node/control/move_map.h"

#include <algorithm>

#include "node/control/job_store.h"
#include "node/control/map_store.h"

namespace aisfs::control {
namespace {

constexpr std::size_t kKeysAtOnce = 100;  // etcd takes 128 operations in a transaction

const std::string kStoreKey = std::string(kMapPrefix) + "store";

meta::Step remove_all(std::string_view prefix) {
  return {meta::Step::Kind::kRemove, meta::prefix_range(std::string(prefix)), {}, 0};
}
meta::Compare epoch_is_at(meta::Revision revision) {
  return {.key = std::string(kEpochKey), .number = revision};
}

Task<Status> commit(MetaStore& store, meta::TxnRequest request) {
  CO_TRY(const auto reply, co_await store.txn(std::move(request)));
  if (reply.succeeded) co_return Status{};
  co_return Error(Errc::busy, "somebody else changes the map; stop every gateway first");
}

bool is_epoch(const meta::KeyValue& kv) { return kv.key == kEpochKey; }

/// What the destination is to hold: the same, one epoch later, by its new holder.
std::vector<meta::KeyValue> moved(std::vector<meta::KeyValue> kvs,
                                  Epoch epoch,
                                  const std::string& holder) {
  for (meta::KeyValue& kv : kvs) {
    if (kv.key == kEpochKey) kv.value = std::to_string(epoch);
    if (kv.key == kStoreKey) kv.value = holder;
  }
  // Who finds the epoch finds all of it.
  const auto epoch_key = std::find_if(kvs.begin(), kvs.end(), is_epoch);
  std::rotate(epoch_key, std::next(epoch_key), kvs.end());
  return kvs;
}

Task<Status> copy(MetaStore& to, std::vector<meta::KeyValue> kvs, meta::Revision seen) {
  meta::TxnRequest clear;
  clear.compares.push_back(epoch_is_at(seen));
  clear.then = {remove_all(kMapPrefix), remove_all(kJobsPrefix),
                meta::remove_step(std::string(kMovedKey))};
  CO_CHECK_OK(co_await commit(to, std::move(clear)));
  for (std::size_t at = 0; at < kvs.size(); at += kKeysAtOnce) {
    meta::TxnRequest part;
    part.compares.push_back(epoch_is_at(0));
    const std::size_t end = std::min(at + kKeysAtOnce, kvs.size());
    for (std::size_t i = at; i < end; ++i)
      part.then.push_back(meta::put_step(kvs[i].key, kvs[i].value));
    CO_CHECK_OK(co_await commit(to, std::move(part)));
  }
  co_return Status{};
}

/// Until no node has one.
Task<Status> wait_for_leases(MetaStore& store, Deadline deadline) {
  while (true) {
    meta::GetRequest get{meta::prefix_range(std::string(kAlivePrefix)), 0, 0};
    CO_TRY(const auto alive, co_await store.get(std::move(get)));
    if (alive.kvs.empty()) co_return Status{};
    if (deadline.expired()) {
      co_return Error(Errc::busy, std::to_string(alive.kvs.size()) + " node(s) run, " +
                                      alive.kvs[0].key.substr(kAlivePrefix.size()) +
                                      " is one: stop all nodes first");
    }
    meta::WatchRequest watch{meta::prefix_range(std::string(kAlivePrefix)), alive.revision + 1,
                             deadline.left().count()};
    CO_TRY([[maybe_unused]] const auto seen, co_await store.watch(std::move(watch)));
  }
}

}  // namespace

Task<Result<MovedMap>> move_map(MetaStore& from,
                                MetaStore& to,
                                MapMove move,
                                bool source_is_shared) {
  MapStore source(from), destination(to);
  if (source_is_shared)
    CO_CHECK_OK(co_await wait_for_leases(from, Deadline::after(move.leases_max)));
  CO_TRY(const auto draft, co_await source.load());
  meta::GetRequest all{meta::prefix_range(std::string(kMapPrefix)), 0, 0};
  meta::GetRequest epoch_only{{std::string(kEpochKey), {}}, 0, 0};
  CO_TRY(auto theirs, co_await from.get(std::move(all)));
  CO_TRY(const auto there, co_await to.get(std::move(epoch_only)));
  const auto epoch_at = std::find_if(theirs.kvs.begin(), theirs.kvs.end(), is_epoch);
  const std::string epoch_text = std::to_string(draft.map.epoch);
  if (epoch_at == theirs.kvs.end() || epoch_at->value != epoch_text) {
    co_return Error(Errc::busy, "somebody changes the map; stop every gateway first");
  }
  const meta::Revision read_at = epoch_at->mod_revision;
  const MovedMap result{draft.map.uuid, draft.map.epoch + 1, theirs.kvs.size()};

  bool copied = false;
  if (!there.kvs.empty()) {
    CO_TRY(const auto other, co_await destination.load());
    if (other.map.uuid != draft.map.uuid) {
      co_return Error(Errc::busy, "there is the map of another cluster, " + other.map.uuid);
    }
    if (other.map.epoch > result.epoch) {
      co_return Error(Errc::busy,
                      "there is a newer map of this cluster already; start its gateways "
                      "with that one");
    }
    copied = other.map.epoch == result.epoch;  // by a call that did not come to its end
  }
  if (!copied) {
    const meta::Revision seen = there.kvs.empty() ? 0 : there.kvs[0].mod_revision;
    meta::GetRequest jobs{meta::prefix_range(std::string(kJobsPrefix)), 0, 0};
    CO_TRY(auto records, co_await from.get(std::move(jobs)));
    std::move(records.kvs.begin(), records.kvs.end(), std::back_inserter(theirs.kvs));
    CO_CHECK_OK(co_await copy(to, moved(std::move(theirs.kvs), result.epoch, move.holder), seen));
  }
  meta::TxnRequest leave;
  leave.compares.push_back(epoch_is_at(read_at));
  leave.then = {remove_all(kMapPrefix), remove_all(kJobsPrefix),
                meta::put_step(std::string(kMovedKey), move.destination)};
  CO_CHECK_OK(co_await commit(from, std::move(leave)));
  co_return result;
}

}  // namespace aisfs::control
