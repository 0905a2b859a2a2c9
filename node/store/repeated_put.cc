// SPDX-License-Identifier: MIT
#include "node/store/repeated_put.h"

#include "common/model/version_key.h"
#include "node/store/conditions.h"

namespace aisfs::store {
namespace {

/// What is nobody's to choose: it differs each time that the same is put.
void take_identity(const ObjectInfo& of, ObjectInfo& info) {
  info.ino = of.ino;
  info.content_version = of.content_version;
  info.meta_version = of.meta_version;
  info.modified_ns = of.modified_ns;
  info.nlink = of.nlink;
  const std::string id(kVersionIdHeader);
  info.headers.erase(id);
  if (const auto found = of.headers.find(id); found != of.headers.end())
    info.headers.insert(*found);
}

bool is_made_by(const PutOptions& options,
                const Body& body,
                std::uint64_t size,
                const IndexRecord& there) {
  if (there.root_hash != body.sums.hashes.root) return false;
  ObjectInfo made = info_of_put(options, body, size, &there.info);
  take_identity(there.info, made);
  return made == there.info;
}

}  // namespace

Task<Result<std::optional<ObjectInfo>>> find_repeated(
    Engine& engine, const Key& key, const PutOptions& options, Body& body, std::uint64_t size) {
  const std::optional<ObjectInfo> none;
  if (!options.conditions.unless_newer) co_return none;
  Mountpath& mp = engine.mountpath_of(key);
  CO_TRY(const auto state, mp.index().get(key.bucket, key.key()));
  if (!state || !is_too_new(options.conditions, state->info.meta_version)) co_return none;
  const bool comparable = state->visible() && state->info.size == size;
  if (!comparable) co_return may_have_happened(key.display());
  auto finish = [&] { return body.finish(mp); };
  CO_CHECK_OK(co_await mp.pool().run(std::move(finish)));
  CO_TRY(const auto whole, co_await engine.find_whole(key));
  if (!whole || !is_made_by(options, body, size, *whole)) {
    co_return may_have_happened(key.display());
  }
  co_return whole->info;
}

}  // namespace aisfs::store
