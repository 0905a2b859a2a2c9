// SPDX-License-Identifier: MIT
// Many names at once, and names as a file system sees them.
#include "common/client/mapped_list.h"
#include "common/client/merge.h"
#include "common/client/placed_run.h"

namespace aisfs {
namespace {

/// everywhere() gathers values: this one says that a target is done.
Task<Result<bool>> sync_at(ObjectApi& target, Context context, ObjectName name) {
  CO_CHECK_OK(co_await target.sync(std::move(context), std::move(name)));
  co_return true;
}

}  // namespace

ObjectName directory_name(BucketName bucket, std::string_view path) {
  return ObjectName{std::move(bucket), std::string(path) + "/"};
}

Task<Result<ListPage>> PlacedObjects::list(Context context,
                                           BucketName bucket,
                                           ListOptions options) {
  auto attempt = [&](MapSnapshot map, Context c) {
    return list_once(std::move(map), std::move(c), bucket, options);
  };
  co_return co_await with_maps(std::move(context), Replay::kSafe, attempt);
}

Task<Result<ListPage>> PlacedObjects::list_once(MapSnapshot map,
                                                Context context,
                                                BucketName bucket,
                                                ListOptions options) {
  const Bucket* mapped = mapped_bucket(*map, bucket);
  if (mapped == nullptr || placement::is_plain(*map, mapped->id, options.prefix)) {
    co_return co_await list_places(std::move(map), std::move(context), std::move(bucket),
                                   std::move(options));
  }
  const PhysicalList list = [&](ListOptions places) {
    return list_places(map, context, bucket, std::move(places));
  };
  co_return co_await list_mapped(*map, mapped->id, std::move(options), list);
}

Task<Result<ListPage>> PlacedObjects::list_places(MapSnapshot map,
                                                  Context context,
                                                  BucketName bucket,
                                                  ListOptions options) {
  const std::uint32_t limit = options.limit;
  ListPage whole;
  do {
    const auto wanted = limit - static_cast<std::uint32_t>(whole.entries.size());
    options.limit = share_of(wanted, map->holding_targets().size());
    auto step = [&bucket, &options](ObjectApi& api, const Context& c) {
      return api.list(c, bucket, options);
    };
    CO_TRY(auto pages,
           co_await everywhere_once<ListPage>(map, context, map->find_bucket(bucket), step));
    append(whole, merge_pages(std::move(pages), wanted));
    options.after = whole.next;
  } while (whole.more && whole.entries.size() < limit);
  co_return whole;
}

Task<Result<LookupReply>> PlacedObjects::lookup(Context context,
                                                BucketName bucket,
                                                std::string path) {
  auto attempt = [&](MapSnapshot map, Context c) {
    return lookup_once(std::move(map), std::move(c), bucket, path);
  };
  co_return co_await with_maps(std::move(context), Replay::kSafe, attempt);
}

Task<Result<LookupReply>> PlacedObjects::lookup_once(MapSnapshot map,
                                                     Context context,
                                                     BucketName bucket,
                                                     std::string path) {
  const Bucket* mapped = path.empty() ? nullptr : mapped_bucket(*map, bucket);
  if (mapped != nullptr && !placement::is_plain(*map, mapped->id, path + "/")) {
    co_return co_await lookup_mapped(std::move(map), std::move(context), std::move(bucket),
                                     std::move(path));
  }
  context.epoch = map->epoch;
  const Bucket* known = map->find_bucket(bucket);
  if (known != nullptr && !known->implied_dirs && !path.empty()) {
    ObjectName file{bucket, path};
    auto ask = [&](ObjectApi& api, const Context& c, const ObjectName&) {
      return api.lookup(c, bucket, path);
    };
    co_return co_await attempt_at(std::move(map), std::move(context), std::move(file), ask);
  }
  auto step = [&](ObjectApi& api, const Context& c) { return api.lookup(c, bucket, path); };
  CO_TRY(auto replies, co_await everywhere_once<LookupReply>(map, context, known, step));
  co_return merge_lookups(std::move(replies));
}

/// A path at, above or below a renamed directory: its marker, its file and what is below it may
/// lie in different places.
Task<Result<LookupReply>> PlacedObjects::lookup_mapped(MapSnapshot map,
                                                       Context context,
                                                       BucketName bucket,
                                                       std::string path) {
  LookupReply reply;
  auto head = [](ObjectApi& api, const Context& c, const ObjectName& place) {
    return api.head(c, place, {});
  };
  ObjectName marker = directory_name(bucket, path);
  ListOptions below{.prefix = marker.key, .limit = 1};
  auto dir = co_await attempt(map, context, std::move(marker), Use::kRead, head);
  if (!dir && dir.error() != Errc::not_found) co_return std::move(dir).error();
  if (dir) {
    reply.kind = LookupReply::Kind::kDirectory;
    reply.explicit_dir = true;
    reply.info = *std::move(dir);
    co_return reply;
  }
  CO_TRY(const ListPage page, co_await list_once(map, context, bucket, std::move(below)));
  if (!page.entries.empty()) {
    reply.kind = LookupReply::Kind::kDirectory;
    co_return reply;
  }
  ObjectName file{std::move(bucket), std::move(path)};
  auto info =
      co_await attempt(std::move(map), std::move(context), std::move(file), Use::kRead, head);
  if (!info && info.error() != Errc::not_found) co_return std::move(info).error();
  if (info) {
    reply.kind = LookupReply::Kind::kFile;
    reply.info = *std::move(info);
  }
  co_return reply;
}

// A directory's operations run at the home of its marker, which looks names up as users know them.

Task<Result<ObjectInfo>> PlacedObjects::make_dir(Context context,
                                                 BucketName bucket,
                                                 std::string path,
                                                 MakeDirOptions options) {
  ObjectName marker = directory_name(bucket, path);
  auto step = [bucket = std::move(bucket), path = std::move(path), options = std::move(options)](
                  ObjectApi& api, const Context& c, const ObjectName&) {
    return api.make_dir(c, bucket, path, options);
  };
  return at_owner(std::move(context), std::move(marker), Use::kHome, Replay::kAmbiguous,
                  std::move(step));
}

Task<Status> PlacedObjects::remove_dir(Context context, BucketName bucket, std::string path) {
  ObjectName marker = directory_name(bucket, path);
  auto step = [bucket = std::move(bucket), path = std::move(path)](ObjectApi& api, const Context& c,
                                                                   const ObjectName&) {
    return api.remove_dir(c, bucket, path);
  };
  return at_owner(std::move(context), std::move(marker), Use::kChange, Replay::kAmbiguous,
                  std::move(step));
}

Task<Status> PlacedObjects::rename_dir(
    Context context, BucketName bucket, std::string from, std::string to, bool no_replace) {
  ObjectName marker = directory_name(bucket, from);
  auto step = [bucket = std::move(bucket), from = std::move(from), to = std::move(to), no_replace](
                  ObjectApi& api, const Context& c, const ObjectName&) {
    return api.rename_dir(c, bucket, from, to, no_replace);
  };
  return at_owner(std::move(context), std::move(marker), Use::kHome, Replay::kAmbiguous,
                  std::move(step));
}

Task<Result<Capacity>> PlacedObjects::capacity(Context context) {
  auto step = [](ObjectApi& api, const Context& c) { return api.capacity(c); };
  CO_TRY(auto shares, co_await everywhere<Capacity>(std::move(context), std::move(step)));
  co_return merge_capacities(shares);
}

Task<Status> PlacedObjects::sync(Context context, ObjectName name) {
  if (!name.key.empty()) {
    auto step = [](ObjectApi& api, const Context& c, const ObjectName& place) {
      return api.sync(c, place);
    };
    co_return co_await at_owner(std::move(context), std::move(name), Use::kChange, Replay::kSafe,
                                std::move(step));
  }
  auto step = [name = std::move(name)](ObjectApi& api, const Context& c) {
    return sync_at(api, c, name);
  };
  auto done = co_await everywhere<bool>(std::move(context), std::move(step));
  co_return done ? Status{} : Status(std::move(done).error());
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
