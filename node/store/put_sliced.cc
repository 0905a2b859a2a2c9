// SPDX-License-Identifier: MIT
// Store: a PUT whose bytes lie in slices already.
#include "node/store/conditions.h"
#include "node/store/put.h"
#include "node/store/rename.h"
#include "node/store/repeated_put.h"

namespace aisfs::store {

Task<Result<ObjectInfo>> Store::put_sliced(Key key,
                                           PutOptions options,
                                           BodyDigests::Sums sums,
                                           Reference content) {
  const std::uint64_t size = options.size.value_or(0);
  const ExpectedChecksums none;
  Body body(false, none);  // of which only what was computed of it is left
  body.sums = std::move(sums);
  body.size = size;
  body.finished = true;
  CO_TRY(const auto guard, co_await engine_->lock(key));
  Result<std::optional<IndexRecord>> found = std::optional<IndexRecord>();
  if (options.keep_attrs) {
    found = co_await engine_->find_whole(key);
  } else {
    found = options.conditions.any() ? engine_->find(key) : engine_->find_to_replace(key);
  }
  CO_TRY(auto base, std::move(found));
  CO_TRY(auto repeated, co_await find_repeated(*engine_, key, options, body, size));
  if (repeated) co_return *std::move(repeated);
  const ObjectInfo* there = base ? &base->info : nullptr;
  CO_CHECK_OK(check_conditions(options.conditions, there, Access::kWrite));
  CO_TRY(const Version version, engine_->versions.next());
  StoredMeta meta = meta_of_put(key, options, body, base ? &*base : nullptr, size, version,
                                engine_->clock.unix_ns());
  add_sums(meta.info, body.sums);
  meta.hashes.root = body.sums.hashes.root;
  meta.reference = std::move(content);
  ObjectInfo info = meta.info;
  const Durability level = options.level;
  CO_CHECK_OK(co_await publish_reference(*engine_, engine_->mountpath_of(key), key, std::move(meta),
                                         std::move(base), level));
  co_return info;
}

}  // namespace aisfs::store
