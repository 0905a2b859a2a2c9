// SPDX-License-Identifier: MIT
#include "node/front/native/epoch.h"

#include "common/base/text.h"
#include "common/wire/data.h"

namespace aisfs::native {
namespace {

// A node that does not get the map of its peers within this is of no use to them.
constexpr Duration kFetchMax = std::chrono::seconds(2);

}  // namespace

Task<Result<MapSnapshot>> agree_on_epoch(MapSource& maps, std::string header) {
  MapSnapshot map = maps.current();
  if (header.empty()) co_return map;
  const auto theirs = parse_u64(header);
  if (!theirs || *theirs > std::numeric_limits<Epoch>::max()) {
    co_return Error(Errc::invalid_argument, "Ais-Epoch is no epoch: " + header);
  }
  if (*theirs == map->epoch) co_return map;
  if (*theirs < map->epoch) {
    co_return Error(Errc::stale_map, "the cluster map of epoch " + header + " is old; epoch " +
                                         std::to_string(map->epoch) + " is known here");
  }
  auto newer = co_await maps.at_least(static_cast<Epoch>(*theirs), Deadline::after(kFetchMax));
  if (!newer) co_return Error(Errc::not_ready, "waiting for the cluster map of epoch " + header);
  co_return *std::move(newer);
}

}  // namespace aisfs::native
