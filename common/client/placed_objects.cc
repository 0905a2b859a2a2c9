// SPDX-License-Identifier: MIT
#include "common/client/placed_objects.h"

#include "common/async/gather.h"
#include "common/client/counted_source.h"
#include "common/client/merge.h"
#include "common/placement/hrw.h"

namespace aisfs {
namespace {

// Long enough for a map that is being published; then the wait goes on by backoff.
constexpr Duration kRefreshMax = std::chrono::seconds(1);
// A body slower than this is not waited for beyond the operation's timeout.
constexpr std::uint64_t kBodyBytesPerSecond = 1 << 20;
constexpr Duration kUnknownBodyMax = std::chrono::hours(24);

bool is_conditional(const Conditions& c) {
  return c.if_content_version || c.if_meta_version || c.must_exist || c.must_not_exist ||
         !c.if_match.empty() || !c.if_none_match.empty() || c.if_modified_since_ns ||
         c.if_unmodified_since_ns || c.if_ino || c.if_size;
}

Replay replay_of(const Conditions& conditions) {
  return is_conditional(conditions) ? Replay::kAmbiguous : Replay::kSafe;
}

Error no_target() { return Error(Errc::not_ready, "no target is active in the cluster"); }

std::size_t targets_of(const ClusterMap& map) {
  std::size_t count = 0;
  for (const auto& [id, node] : map.nodes) count += node.stores() ? 1 : 0;
  return count;
}

/// The time that a body may take when the caller named none.
Duration body_time(const BodySource& body) {
  const auto size = body.remaining();
  if (!size) return kUnknownBodyMax;
  return std::chrono::seconds(*size / kBodyBytesPerSecond);
}

}  // namespace

ObjectName directory_name(BucketName bucket, std::string_view path) {
  return ObjectName{std::move(bucket), std::string(path) + "/"};
}

Deadline PlacedObjects::bounded(Deadline deadline) const {
  return deadline.at() == Deadline().at() ? Deadline::after(operation_timeout_) : deadline;
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

template <class Step>
auto PlacedObjects::attempt(MapSnapshot map, ObjectName placed, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&> {
  const NodeInfo* owner = placement::owner_of(*map, placed);
  if (owner == nullptr) co_return no_target();
  const std::shared_ptr<ObjectApi> api = api_of_(*owner);
  auto task = step(*api);
  co_return co_await std::move(task);
}

template <class Step>
auto PlacedObjects::at_owner(Context context, ObjectName placed, Replay replay, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&> {
  context.deadline = bounded(context.deadline);
  const auto once = [&step, &context](ObjectApi& api) { return step(api, context); };
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = maps_.current();
    auto result = co_await attempt(map, placed, once);
    if (result.ok() || !may_retry(result.error(), replay)) co_return result;
    const Errc code = result.error().code();
    if (!co_await prepare_retry(code, map->epoch, backoff, context.deadline)) co_return result;
  }
}

template <class Step>
auto PlacedObjects::with_body(
    Context context, ObjectName placed, Replay replay, BodySource& body, Step step)
    -> std::invoke_result_t<Step&, ObjectApi&, const Context&, BodySource&> {
  const Deadline retry_until = bounded(context.deadline);
  if (context.deadline.at() == Deadline().at()) {
    context.deadline = Deadline::after(operation_timeout_ + body_time(body));
  }
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = maps_.current();
    CountedSource counted(body);
    const auto once = [&](ObjectApi& api) { return step(api, context, counted); };
    auto result = co_await attempt(map, placed, once);
    if (result.ok() || counted.failed()) co_return result;
    // Of a body that was never touched nothing can have been published.
    const Replay effective = counted.touched() ? replay : Replay::kSafe;
    if (!may_retry(result.error(), effective)) co_return result;
    if (counted.touched() && !body.rewind()) co_return result;
    const Errc code = result.error().code();
    if (!co_await prepare_retry(code, map->epoch, backoff, retry_until)) co_return result;
  }
}

template <class T, class Step>
Task<Result<std::vector<T>>> PlacedObjects::everywhere_once(MapSnapshot map,
                                                            Context context,
                                                            Step step) {
  std::vector<std::shared_ptr<ObjectApi>> apis;
  for (const auto& [id, node] : map->nodes) {
    if (!node.stores()) continue;
    // What only an absent node holds is unknown, so nothing may be said about all names.
    if (node.state == NodeState::kAway) co_return Error(Errc::not_ready, "target " + id + " is away");
    if (node.state == NodeState::kActive) apis.push_back(api_of_(node));
  }
  if (apis.empty()) co_return no_target();
  std::vector<Task<Result<T>>> tasks;
  for (const auto& api : apis) tasks.push_back(step(*api, context));
  auto results = co_await gather(std::move(tasks));
  std::vector<T> values;
  for (auto& result : results) {
    CO_TRY(T value, std::move(result));
    values.push_back(std::move(value));
  }
  co_return values;
}

template <class T, class Step>
Task<Result<std::vector<T>>> PlacedObjects::everywhere(Context context, Step step) {
  context.deadline = bounded(context.deadline);
  Backoff backoff;
  for (;;) {
    const MapSnapshot map = maps_.current();
    auto values = co_await everywhere_once<T>(map, context, step);
    if (values.ok() || !may_retry(values.error(), Replay::kSafe)) co_return values;
    const Errc code = values.error().code();
    if (!co_await prepare_retry(code, map->epoch, backoff, context.deadline)) co_return values;
  }
}

// --- objects ------------------------------------------------------------------------------------
// The steps below copy their arguments, because each may run several times.

Task<Result<ObjectInfo>> PlacedObjects::head(Context context,
                                             ObjectName name,
                                             Conditions conditions) {
  auto step = [name, conditions = std::move(conditions)](ObjectApi& api, const Context& c) {
    return api.head(c, name, conditions);
  };
  return at_owner(std::move(context), std::move(name), Replay::kSafe, std::move(step));
}

Task<Result<ObjectStream>> PlacedObjects::get(Context context,
                                              ObjectName name,
                                              GetOptions options) {
  auto step = [name, options = std::move(options)](ObjectApi& api, const Context& c) {
    return api.get(c, name, options);
  };
  return at_owner(std::move(context), std::move(name), Replay::kSafe, std::move(step));
}

std::optional<ObjectStream> PlacedObjects::get_now(const Context& context,
                                                   const ObjectName& name,
                                                   const GetOptions& options) {
  const MapSnapshot map = maps_.current();
  const NodeInfo* owner = placement::owner_of(*map, name);
  if (owner == nullptr) return std::nullopt;
  return api_of_(*owner)->get_now(context, name, options);
}

Task<Result<ObjectInfo>> PlacedObjects::put(Context context,
                                            ObjectName name,
                                            PutOptions options,
                                            ExpectedChecksums expected,
                                            BodySource& body) {
  const Replay replay = replay_of(options.conditions);
  auto step = [name, options = std::move(options), expected = std::move(expected)](
                  ObjectApi& api, const Context& c, BodySource& source) {
    return api.put(c, name, options, expected, source);
  };
  return with_body(std::move(context), std::move(name), replay, body, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::set_attrs(Context context,
                                                  ObjectName name,
                                                  AttrChange change,
                                                  Conditions conditions) {
  const bool exclusive = change.xattr_must_exist || change.xattr_must_not_exist;
  const Replay replay = exclusive ? Replay::kAmbiguous : replay_of(conditions);
  auto step = [name, change = std::move(change), conditions = std::move(conditions)](
                  ObjectApi& api, const Context& c) {
    return api.set_attrs(c, name, change, conditions);
  };
  return at_owner(std::move(context), std::move(name), replay, std::move(step));
}

Task<Status> PlacedObjects::remove(Context context, ObjectName name, RemoveOptions options) {
  const Replay replay = options.missing_ok ? replay_of(options.conditions) : Replay::kAmbiguous;
  auto step = [name, options = std::move(options)](ObjectApi& api, const Context& c) {
    return api.remove(c, name, options);
  };
  return at_owner(std::move(context), std::move(name), replay, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::rename(Context context,
                                               ObjectName from,
                                               ObjectName to,
                                               RenameOptions options) {
  auto step = [from, to = std::move(to), options = std::move(options)](ObjectApi& api,
                                                                       const Context& c) {
    return api.rename(c, from, to, options);
  };
  return at_owner(std::move(context), std::move(from), Replay::kAmbiguous, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::copy(Context context,
                                             ObjectName from,
                                             ObjectName to,
                                             CopyOptions options) {
  const Replay replay = replay_of(options.destination_conditions);
  auto step = [from = std::move(from), to, options = std::move(options)](ObjectApi& api,
                                                                         const Context& c) {
    return api.copy(c, from, to, options);
  };
  return at_owner(std::move(context), std::move(to), replay, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::patch(Context context,
                                              ObjectName name,
                                              PatchOptions options,
                                              BodySource& body) {
  auto step = [name, options = std::move(options)](ObjectApi& api, const Context& c,
                                                   BodySource& source) {
    return api.patch(c, name, options, source);
  };
  return with_body(std::move(context), std::move(name), Replay::kAmbiguous, body,
                   std::move(step));
}

Task<Result<ListPage>> PlacedObjects::list(Context context,
                                           BucketName bucket,
                                           ListOptions options) {
  context.deadline = bounded(context.deadline);
  const std::uint32_t limit = options.limit;
  ListPage whole;
  do {
    const auto wanted = limit - static_cast<std::uint32_t>(whole.entries.size());
    options.limit = share_of(wanted, targets_of(*maps_.current()));
    auto step = [&bucket, &options](ObjectApi& api, const Context& c) {
      return api.list(c, bucket, options);
    };
    CO_TRY(auto pages, co_await everywhere<ListPage>(context, step));
    append(whole, merge_pages(std::move(pages), wanted));
    options.after = whole.next;
  } while (whole.more && whole.entries.size() < limit);
  co_return whole;
}

// --- names --------------------------------------------------------------------------------------

Task<Result<LookupReply>> PlacedObjects::lookup(Context context,
                                                BucketName bucket,
                                                std::string path) {
  auto step = [bucket = std::move(bucket), path = std::move(path)](ObjectApi& api,
                                                                   const Context& c) {
    return api.lookup(c, bucket, path);
  };
  CO_TRY(auto replies, co_await everywhere<LookupReply>(std::move(context), std::move(step)));
  co_return merge_lookups(std::move(replies));
}

Task<Result<ObjectInfo>> PlacedObjects::make_dir(Context context,
                                                 BucketName bucket,
                                                 std::string path,
                                                 MakeDirOptions options) {
  ObjectName home = directory_name(bucket, path);
  auto step = [bucket = std::move(bucket), path = std::move(path), options = std::move(options)](
                  ObjectApi& api, const Context& c) { return api.make_dir(c, bucket, path, options); };
  return at_owner(std::move(context), std::move(home), Replay::kAmbiguous, std::move(step));
}

Task<Status> PlacedObjects::remove_dir(Context context, BucketName bucket, std::string path) {
  ObjectName home = directory_name(bucket, path);
  auto step = [bucket = std::move(bucket), path = std::move(path)](
                  ObjectApi& api, const Context& c) { return api.remove_dir(c, bucket, path); };
  return at_owner(std::move(context), std::move(home), Replay::kAmbiguous, std::move(step));
}

Task<Status> PlacedObjects::rename_dir(
    Context context, BucketName bucket, std::string from, std::string to, bool no_replace) {
  ObjectName home = directory_name(bucket, from);
  auto step = [bucket = std::move(bucket), from = std::move(from), to = std::move(to), no_replace](
                  ObjectApi& api, const Context& c) {
    return api.rename_dir(c, bucket, from, to, no_replace);
  };
  return at_owner(std::move(context), std::move(home), Replay::kAmbiguous, std::move(step));
}

Task<Result<Capacity>> PlacedObjects::capacity(Context context) {
  auto step = [](ObjectApi& api, const Context& c) { return api.capacity(c); };
  CO_TRY(auto shares, co_await everywhere<Capacity>(std::move(context), std::move(step)));
  co_return merge_capacities(shares);
}

namespace {

/// everywhere() gathers values: this one says that a target is done.
Task<Result<bool>> sync_at(ObjectApi& target, Context context, ObjectName name) {
  CO_CHECK_OK(co_await target.sync(std::move(context), std::move(name)));
  co_return true;
}

}  // namespace

Task<Status> PlacedObjects::sync(Context context, ObjectName name) {
  if (!name.key.empty()) {
    auto step = [name](ObjectApi& api, const Context& c) { return api.sync(c, name); };
    co_return co_await at_owner(std::move(context), std::move(name), Replay::kSafe,
                                std::move(step));
  }
  auto step = [name = std::move(name)](ObjectApi& api, const Context& c) {
    return sync_at(api, c, name);
  };
  auto done = co_await everywhere<bool>(std::move(context), std::move(step));
  co_return done ? Status{} : Status(std::move(done).error());
}

// --- uploads ------------------------------------------------------------------------------------

Task<Result<std::string>> PlacedObjects::create_upload(Context context,
                                                       ObjectName name,
                                                       PutOptions options) {
  auto step = [name, options = std::move(options)](ObjectApi& api, const Context& c) {
    return api.create_upload(c, name, options);
  };
  // An upload that was made twice is one that nobody uses: it is aborted as any other.
  return at_owner(std::move(context), std::move(name), Replay::kSafe, std::move(step));
}

Task<Result<UploadPart>> PlacedObjects::put_part(Context context,
                                                 ObjectName name,
                                                 std::string upload,
                                                 std::uint32_t number,
                                                 ExpectedChecksums expected,
                                                 BodySource& body) {
  auto step = [name, upload = std::move(upload), number, expected = std::move(expected)](
                  ObjectApi& api, const Context& c, BodySource& source) {
    return api.put_part(c, name, upload, number, expected, source);
  };
  return with_body(std::move(context), std::move(name), Replay::kSafe, body, std::move(step));
}

Task<Result<ObjectInfo>> PlacedObjects::complete_upload(Context context,
                                                        ObjectName name,
                                                        std::string upload,
                                                        std::vector<CompletedPart> parts,
                                                        Conditions conditions) {
  auto step = [name, upload = std::move(upload), parts = std::move(parts),
               conditions = std::move(conditions)](ObjectApi& api, const Context& c) {
    return api.complete_upload(c, name, upload, parts, conditions);
  };
  return at_owner(std::move(context), std::move(name), Replay::kSafe, std::move(step));
}

Task<Status> PlacedObjects::abort_upload(Context context, ObjectName name, std::string upload) {
  auto step = [name, upload = std::move(upload)](ObjectApi& api, const Context& c) {
    return api.abort_upload(c, name, upload);
  };
  return at_owner(std::move(context), std::move(name), Replay::kAmbiguous, std::move(step));
}

Task<Result<PartList>> PlacedObjects::list_parts(Context context,
                                                 ObjectName name,
                                                 std::string upload,
                                                 std::uint32_t after,
                                                 std::uint32_t limit) {
  auto step = [name, upload = std::move(upload), after, limit](ObjectApi& api, const Context& c) {
    return api.list_parts(c, name, upload, after, limit);
  };
  return at_owner(std::move(context), std::move(name), Replay::kSafe, std::move(step));
}

Task<Result<UploadList>> PlacedObjects::list_uploads(Context context,
                                                     BucketName bucket,
                                                     std::string prefix,
                                                     std::string after_key,
                                                     std::string after_id,
                                                     std::uint32_t limit) {
  auto step = [bucket = std::move(bucket), prefix = std::move(prefix),
               after_key = std::move(after_key), after_id = std::move(after_id),
               limit](ObjectApi& api, const Context& c) {
    return api.list_uploads(c, bucket, prefix, after_key, after_id, limit);
  };
  CO_TRY(auto lists, co_await everywhere<UploadList>(std::move(context), std::move(step)));
  co_return merge_uploads(std::move(lists), limit);
}

}  // namespace aisfs
