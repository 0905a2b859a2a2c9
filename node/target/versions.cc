// SPDX-License-Identifier: MIT
// Versions of objects: what a request means by one, and delete markers. node/store/versions.h has
// how they are kept.
#include "common/model/version_key.h"
#include "common/placement/prefix_map.h"
#include "node/target/local_target.h"

namespace aisfs::target {
namespace {

constexpr int kLooks = 5;

/// The condition that makes an operation meet the version that was found, or none.
Conditions exactly(Conditions conditions, const store::Store::FoundVersion& found) {
  if (!conditions.if_content_version) conditions.if_content_version = found.content_version;
  return conditions;
}

/// Whether a current version that was found was replaced, and is kept under another key, since.
template <class R>
bool has_moved(const R& result, const store::Key& key, int look) {
  return !result && look < kLooks && !is_version_key(key.key()) &&
         (result.error() == Errc::precondition_failed || result.error() == Errc::not_found);
}

}  // namespace

Task<Result<ObjectInfo>> LocalTarget::head_version(Context context,
                                                   Admitted at,
                                                   Conditions conditions) {
  CO_CHECK_OK(co_await bring_home(context, at.key, Handover::Need::kRead));
  for (int look = 1;; ++look) {
    CO_TRY(auto found, store_.find_version(at.key));
    CO_CHECK_OK(co_await settle_for_read(context, found.key));
    CO_CHECK_OK(check_not_moved(found.key));
    Conditions exact = exactly(conditions, found);
    auto info = co_await store_.head(found.key, std::move(exact));
    if (has_moved(info, found.key, look)) continue;
    co_return info;
  }
}

Task<Result<ObjectStream>> LocalTarget::get_version(Context context,
                                                    Admitted at,
                                                    GetOptions options) {
  CO_CHECK_OK(co_await bring_home(context, at.key, Handover::Need::kRead));
  for (int look = 1;; ++look) {
    CO_TRY(auto found, store_.find_version(at.key));
    Admitted there{at.bucket, found.key, at.map, {}};
    GetOptions exact = options;
    exact.conditions = exactly(options.conditions, found);
    auto stream = co_await get_at(context, std::move(there), std::move(exact));
    if (has_moved(stream, found.key, look)) continue;
    co_return stream;
  }
}

Task<Status> LocalTarget::find_version(Context context, Admitted& at, Conditions& conditions) {
  CO_CHECK_OK(co_await settle_for_read(std::move(context), at.key));
  CO_TRY(auto found, store_.find_version(at.key));
  conditions = exactly(std::move(conditions), found);
  at.key = std::move(found.key);
  co_return Status{};
}

Task<Status> LocalTarget::remove_version(Context context, Admitted at, Conditions conditions) {
  const std::string plain(plain_key(at.key.key()));
  if (!placement::is_plain(*at.map, at.bucket.id, plain)) {
    // Which version is the newest then is known when all of them are at home.
    co_return Error(Errc::not_ready,
                    at.bucket.name.display() + "/" + plain + ": its directory is being renamed");
  }
  store::Key key = store::make_key(at.bucket.id, {at.bucket.name, plain});
  CO_CHECK_OK(co_await settle_for_write(context, key));
  key.versioning = Versioning::kEnabled;
  CO_CHECK_OK(co_await make_keepable(context, key));
  auto change = changing(context, key);  // another version may be the current one after it
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(change.begin());
  CO_CHECK_OK(
      co_await store_.remove_version(at.key, std::move(conditions), at.bucket.props.write_level));
  CO_CHECK_OK(co_await change.told());
  co_return acknowledged(at, Status{});
}

Task<Result<ObjectInfo>> LocalTarget::put_delete_marker(Context context,
                                                        Admitted at,
                                                        Conditions conditions,
                                                        Durability level) {
  if (at.key.versioning == Versioning::kOff) {
    co_return Error(Errc::invalid_argument, "the bucket keeps no versions");
  }
  if (at.ticket.empty()) at.ticket = changes_.begin(maps_.current()->epoch);
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  CO_CHECK_OK(co_await make_keepable(context, at.key));
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(change.begin());
  auto marker = co_await store_.put_delete_marker(at.key, std::move(conditions), level);
  if (marker) {
    CO_CHECK_OK(co_await change.told());
  } else {
    CO_CHECK_OK(co_await change.refused(marker.error()));
  }
  co_return acknowledged(at, std::move(marker));
}

Task<Status> LocalTarget::make_keepable(Context context, store::Key key) {
  if (key.versioning == Versioning::kOff) co_return Status{};
  CO_TRY(const auto reference, reference_of(key));
  if (!reference || reference->is_empty()) co_return Status{};
  co_return co_await materialise(std::move(context), std::move(key));
}

Status LocalTarget::check_keepable(const store::Key& key) const {
  if (key.versioning == Versioning::kOff) return {};
  TRY(const auto reference, reference_of(key));
  if (!reference || reference->is_empty()) return {};
  return Error(Errc::not_ready, key.display() + ": its content is on its way");
}

Task<Status> LocalTarget::mark_renamed(Context context, store::Key from) {
  CO_TRY(const bool kept, store_.has_kept_versions(from));
  if (!kept) co_return Status{};
  Conditions free{.must_not_exist = true};
  auto change = changing(context, from);
  CO_CHECK_OK(change.begin());
  auto marker = co_await store_.put_delete_marker(from, std::move(free), Durability::kNone);
  if (marker) co_return co_await change.told();
  // A new object of the name is its newest version.
  co_return marker.error() == Errc::already_exists ? Status{} : Status(std::move(marker).error());
}

}  // namespace aisfs::target
