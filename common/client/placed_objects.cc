// SPDX-License-Identifier: MIT
#include "common/client/placed_run.h"
#include "common/model/upload_id.h"
#include "common/model/version_key.h"

namespace aisfs {
namespace {

// Long enough for a map that is being published; then the wait goes on by backoff.
constexpr Duration kRefreshMax = std::chrono::seconds(1);

}  // namespace

Deadline PlacedObjects::bounded(Deadline deadline) const {
  return deadline.at() == Deadline().at() ? Deadline::after(operation_timeout_) : deadline;
}

const Bucket* PlacedObjects::mapped_bucket(const ClusterMap& map, const BucketName& name) const {
  if (map.mappings.empty() || naming_ == Naming::kPhysical) return nullptr;
  const Bucket* bucket = map.find_bucket(name);
  return bucket != nullptr && placement::has_mappings(map, bucket->id) ? bucket : nullptr;
}

Task<bool> PlacedObjects::prepare_retry(Errc error,
                                        Epoch epoch,
                                        Backoff& backoff,
                                        Deadline deadline) {
  if (error == Errc::stale_map) {
    auto newer = co_await maps_.at_least(epoch + 1, deadline.earlier(Deadline::after(kRefreshMax)));
    if (newer) co_return true;
  }
  co_return co_await backoff.wait(deadline);
}

Task<Result<ObjectName>> PlacedObjects::settled(MapSnapshot map, Context context, ObjectName name) {
  context.unless_newer.reset();  // that is about the change which follows
  const Bucket* bucket = map->find_bucket(name.bucket);
  if (bucket == nullptr) co_return name;  // whoever is asked says that there is none
  if (is_version_key(name.key)) {         // it may be the current one
    ObjectName plain{name.bucket, std::string(plain_key(name.key))};
    CO_TRY([[maybe_unused]] const ObjectName home,
           co_await settled(map, context, std::move(plain)));
  }
  placement::Places places = placement::places_of(*map, bucket->id, name.key);
  if (places.home.empty()) co_return placed::no_place(name);
  ObjectName home{name.bucket, std::move(places.home)};
  for (std::string& key : places.sources) {
    if (key == home.key) continue;
    ObjectName source{name.bucket, std::move(key)};
    CO_CHECK_OK(co_await settle(map, context, std::move(source), home));
  }
  co_return home;
}

Task<Status> PlacedObjects::settle(MapSnapshot map,
                                   Context context,
                                   ObjectName source,
                                   ObjectName home) {
  auto move = [&home](ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.rename(c, place, home, {.no_replace = true, .has_parent = true});
  };
  auto moved = co_await attempt_at(map, context, source, move);
  if (moved || moved.error() == Errc::not_found) co_return Status{};
  if (moved.error() != Errc::already_exists) co_return std::move(moved).error();
  // Something was made at home before it was known that more of the name lies elsewhere: the newer
  // one is what a user saw last.
  auto head = [](ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.head(c, place, {});
  };
  auto old = co_await attempt_at(map, context, source, head);
  if (!old) co_return old.error() == Errc::not_found ? Status{} : Status(std::move(old).error());
  CO_TRY(const ObjectInfo now, co_await attempt_at(map, context, home, head));
  if (old->content_version > now.content_version) {
    auto replace = [&](ObjectApi& api, const Context& c, const ObjectName& place) {
      RenameOptions options{.has_parent = true};
      options.source_conditions.if_content_version = old->content_version;
      options.destination_conditions.if_content_version = now.content_version;
      return api.rename(c, place, home, std::move(options));
    };
    CO_TRY([[maybe_unused]] const auto replaced,
           co_await attempt_at(map, context, source, replace));
    co_return Status{};
  }
  auto drop = [&](ObjectApi& api, const Context& c, const ObjectName& place) {
    RemoveOptions options{.missing_ok = true};
    options.conditions.if_content_version = old->content_version;
    return api.remove(c, place, std::move(options));
  };
  co_return co_await attempt_at(map, context, source, drop);
}

// --- objects ------------------------------------------------------------------------------------
// The steps below copy their arguments, because each may run several times.

Task<Result<ObjectInfo>> PlacedObjects::head(Context context,
                                             ObjectName name,
                                             Conditions conditions) {
  auto step = [conditions = std::move(conditions)](ObjectApi& api, const Context& c,
                                                   const ObjectName& place) {
    return api.head(c, place, conditions);
  };
  return at_owner(std::move(context), std::move(name), Use::kRead, Replay::kSafe, std::move(step));
}

Task<Result<ObjectStream>> PlacedObjects::get(Context context,
                                              ObjectName name,
                                              GetOptions options) {
  auto step = [options = std::move(options)](ObjectApi& api, const Context& c,
                                             const ObjectName& place) {
    return api.get(c, place, options);
  };
  return at_owner(std::move(context), std::move(name), Use::kRead, Replay::kSafe, std::move(step));
}

std::optional<ObjectStream> PlacedObjects::get_now(const Context& context,
                                                   const ObjectName& name,
                                                   const GetOptions& options) {
  const auto here = api_here(name);
  return here ? here->get_now(context, name, options) : std::nullopt;
}

std::optional<HotRead> PlacedObjects::hot(const Context& context, const ObjectName& name) {
  const auto here = api_here(name);
  return here ? here->hot(context, name) : std::nullopt;
}

std::shared_ptr<ObjectApi> PlacedObjects::api_here(const ObjectName& name) const {
  if (here_.empty()) return nullptr;
  const MapSnapshot map = maps_.current();
  if (mapped_bucket(*map, name.bucket) != nullptr) return nullptr;
  const NodeInfo* owner = placement::owner_of(*map, name);
  return owner != nullptr && owner->id == here_ ? api_of_(*owner) : nullptr;
}

Task<Result<ObjectInfo>> PlacedObjects::put(Context context,
                                            ObjectName name,
                                            PutOptions options,
                                            ExpectedChecksums expected,
                                            BodySource& body) {
  const Replay replay = replay_of(options.conditions);
  auto step = [options = std::move(options), expected = std::move(expected)](
                  ObjectApi& api, const Context& c, const ObjectName& place, BodySource& source) {
    return api.put(c, place, options, expected, source);
  };
  return with_body(std::move(context), std::move(name), Use::kChange, replay, body,
                   std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::set_attrs(Context context,
                                                  ObjectName name,
                                                  AttrChange change,
                                                  Conditions conditions) {
  const Replay replay = replay_of(change, conditions);
  auto step = [change = std::move(change), conditions = std::move(conditions)](
                  ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.set_attrs(c, place, change, conditions);
  };
  return at_owner(std::move(context), std::move(name), Use::kChange, replay, std::move(step));
}

Task<Status> PlacedObjects::remove(Context context, ObjectName name, RemoveOptions options) {
  const Replay replay = replay_of(options);
  auto step = [options = std::move(options)](ObjectApi& api, const Context& c,
                                             const ObjectName& place) {
    return api.remove(c, place, options);
  };
  return at_owner(std::move(context), std::move(name), Use::kChange, replay, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::rename(Context context,
                                               ObjectName from,
                                               ObjectName to,
                                               RenameOptions options) {
  auto attempt = [&](MapSnapshot map, Context c) {
    return rename_once(std::move(map), std::move(c), from, to, options);
  };
  co_return co_await with_maps(std::move(context), Replay::kAmbiguous, attempt);
}

Task<Result<ObjectInfo>> PlacedObjects::rename_once(
    MapSnapshot map, Context context, ObjectName from, ObjectName to, RenameOptions options) {
  context.epoch = map->epoch;
  if (mapped_bucket(*map, from.bucket) != nullptr) {
    CO_TRY(from, co_await settled(map, context, std::move(from)));
    CO_TRY(to, co_await settled(map, context, std::move(to)));
  }
  auto step = [&](ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.rename(c, place, to, options);
  };
  co_return co_await attempt_at(std::move(map), std::move(context), std::move(from), step);
}

Task<Result<ObjectInfo>> PlacedObjects::copy(Context context,
                                             ObjectName from,
                                             ObjectName to,
                                             CopyOptions options) {
  const Replay replay = replay_of(options);
  auto step = [from = std::move(from), options = std::move(options)](
                  ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.copy(c, from, place, options);
  };
  return at_owner(std::move(context), std::move(to), Use::kChange, replay, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::patch(Context context,
                                              ObjectName name,
                                              PatchOptions options,
                                              BodySource& body) {
  auto step = [options = std::move(options)](ObjectApi& api, const Context& c,
                                             const ObjectName& place, BodySource& source) {
    return api.patch(c, place, options, source);
  };
  return with_body(std::move(context), std::move(name), Use::kChange, Replay::kAmbiguous, body,
                   std::move(step));
}

// --- uploads ------------------------------------------------------------------------------------

std::shared_ptr<ObjectApi> PlacedObjects::api_of_upload(const std::string& upload) const {
  const NodeInfo* node = maps_.current()->find_node(UploadId::parse(upload).node);
  return node != nullptr && node->stores() ? api_of_(*node) : nullptr;
}

Task<Result<std::string>> PlacedObjects::create_upload(Context context,
                                                       ObjectName name,
                                                       PutOptions options) {
  auto step = [options = std::move(options)](ObjectApi& api, const Context& c,
                                             const ObjectName& place) {
    return api.create_upload(c, place, options);
  };
  // An upload that was made twice is one that nobody uses: it is aborted as any other.
  return at_owner(std::move(context), std::move(name), Use::kUpload, Replay::kSafe,
                  std::move(step));
}

Task<Result<UploadPart>> PlacedObjects::put_part(Context context,
                                                 ObjectName name,
                                                 std::string upload,
                                                 std::uint32_t number,
                                                 ExpectedChecksums expected,
                                                 BodySource& body) {
  auto step = [this, at = std::shared_ptr<ObjectApi>(), upload = std::move(upload), number,
               expected = std::move(expected)](ObjectApi& api, const Context& c,
                                               const ObjectName& place,
                                               BodySource& source) mutable {
    at = api_of_upload(upload);
    return (at ? *at : api).put_part(c, place, upload, number, expected, source);
  };
  return with_body(std::move(context), std::move(name), Use::kUpload, Replay::kSafe, body,
                   std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::complete_upload(Context context,
                                                        ObjectName name,
                                                        std::string upload,
                                                        std::vector<CompletedPart> parts,
                                                        Conditions conditions) {
  auto step = [this, at = std::shared_ptr<ObjectApi>(), upload = std::move(upload),
               parts = std::move(parts), conditions = std::move(conditions)](
                  ObjectApi& api, const Context& c, const ObjectName& place) mutable {
    at = api_of_upload(upload);
    return (at ? *at : api).complete_upload(c, place, upload, parts, conditions);
  };
  return at_owner(std::move(context), std::move(name), Use::kUpload, Replay::kGuarded,
                  std::move(step));
}

Task<Status> PlacedObjects::abort_upload(Context context, ObjectName name, std::string upload) {
  auto step = [this, at = std::shared_ptr<ObjectApi>(), upload = std::move(upload)](
                  ObjectApi& api, const Context& c, const ObjectName& place) mutable {
    at = api_of_upload(upload);
    return (at ? *at : api).abort_upload(c, place, upload);
  };
  return at_owner(std::move(context), std::move(name), Use::kUpload, Replay::kAmbiguous,
                  std::move(step));
}

Task<Result<PartList>> PlacedObjects::list_parts(Context context,
                                                 ObjectName name,
                                                 std::string upload,
                                                 std::uint32_t after,
                                                 std::uint32_t limit) {
  auto step = [this, at = std::shared_ptr<ObjectApi>(), upload = std::move(upload), after, limit](
                  ObjectApi& api, const Context& c, const ObjectName& place) mutable {
    at = api_of_upload(upload);
    return (at ? *at : api).list_parts(c, place, upload, after, limit);
  };
  return at_owner(std::move(context), std::move(name), Use::kUpload, Replay::kSafe,
                  std::move(step));
}

}  // namespace aisfs
