// SPDX-License-Identifier: MIT
#include "node/front/cluster/gated_objects.h"

#include "common/client/placed_objects.h"
#include "common/model/upload_id.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"

namespace aisfs::cluster {
namespace {

using auth::Action;

/// A refusal where an operation is expected.
template <class T>
Task<T> refuse(Error error) {
  co_return error;
}

}  // namespace

Status GatedObjects::check(const Context& context, const BucketName& name, Action action) const {
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(name);
  if (bucket == nullptr) {
    return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
  }
  return auth::authorize(context.who, action, *bucket);
}

Status GatedObjects::check(const Context& context, const ObjectName& name, Action action) const {
  CHECK_OK(check(context, name.bucket, action));
  if (only_owned_by_.empty()) return {};
  const MapSnapshot map = maps_.current();
  const NodeInfo* owner = placement::owner_of(*map, name);
  if (owner != nullptr && owner->id == only_owned_by_) return {};
  return Error(Errc::stale_map, "node " + only_owned_by_ + " does not own " + name.display() +
                                    " in epoch " + std::to_string(map->epoch));
}

Status GatedObjects::check_upload(const Context& context,
                                  const ObjectName& name,
                                  const std::string& upload,
                                  Action action) const {
  const bool here = !only_owned_by_.empty() && UploadId::parse(upload).node == only_owned_by_;
  return here ? check(context, name.bucket, action) : check(context, name, action);
}

Status GatedObjects::check_dir(const Context& context,
                               const BucketName& bucket,
                               const std::string& path) const {
  const MapSnapshot map = maps_.current();
  return check(context, placement::home_of(*map, directory_name(bucket, path)), Action::kWrite);
}

Task<Result<Capacity>> GatedObjects::capacity(Context context) {
  if (auto may = auth::authorize(context.who, Action::kShowCluster); !may) {
    return refuse<Result<Capacity>>(std::move(may).error());
  }
  return inner_.capacity(std::move(context));
}

Task<Result<ObjectInfo>> GatedObjects::head(Context context, ObjectName name, Conditions conditions) {
  if (auto may = check(context, name, Action::kRead); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.head(std::move(context), std::move(name), std::move(conditions));
}

Task<Result<ObjectStream>> GatedObjects::get(Context context, ObjectName name, GetOptions options) {
  if (auto may = check(context, name, Action::kRead); !may) {
    return refuse<Result<ObjectStream>>(std::move(may).error());
  }
  return inner_.get(std::move(context), std::move(name), std::move(options));
}

std::optional<ObjectStream> GatedObjects::get_now(const Context& context, const ObjectName& name, const GetOptions& options) {
  if (!check(context, name, Action::kRead)) return std::nullopt;
  return inner_.get_now(context, name, options);
}

std::optional<HotRead> GatedObjects::hot(const Context& context, const ObjectName& name) {
  if (!check(context, name, Action::kRead)) return std::nullopt;
  return inner_.hot(context, name);
}

Task<Result<ObjectInfo>> GatedObjects::put(Context context, ObjectName name, PutOptions options, ExpectedChecksums expected, BodySource& body) {
  if (auto may = check(context, name, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.put(std::move(context), std::move(name), std::move(options), std::move(expected), body);
}

Task<Result<ObjectInfo>> GatedObjects::set_attrs(Context context, ObjectName name, AttrChange change, Conditions conditions) {
  if (auto may = check(context, name, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.set_attrs(std::move(context), std::move(name), std::move(change), std::move(conditions));
}

Task<Status> GatedObjects::remove(Context context, ObjectName name, RemoveOptions options) {
  if (auto may = check(context, name, Action::kWrite); !may) {
    return refuse<Status>(std::move(may).error());
  }
  return inner_.remove(std::move(context), std::move(name), std::move(options));
}

Task<Result<ObjectInfo>> GatedObjects::rename(Context context, ObjectName from, ObjectName to, RenameOptions options) {
  if (auto may = check(context, to.bucket, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  if (auto may = check(context, from, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.rename(std::move(context), std::move(from), std::move(to), std::move(options));
}

Task<Result<ObjectInfo>> GatedObjects::copy(Context context, ObjectName from, ObjectName to, CopyOptions options) {
  if (auto may = check(context, from.bucket, Action::kRead); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  if (auto may = check(context, to, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.copy(std::move(context), std::move(from), std::move(to), std::move(options));
}

Task<Result<ObjectInfo>> GatedObjects::patch(Context context, ObjectName name, PatchOptions options, BodySource& body) {
  if (auto may = check(context, name, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.patch(std::move(context), std::move(name), std::move(options), body);
}

Task<Result<ListPage>> GatedObjects::list(Context context, BucketName bucket, ListOptions options) {
  if (auto may = check(context, bucket, Action::kRead); !may) {
    return refuse<Result<ListPage>>(std::move(may).error());
  }
  return inner_.list(std::move(context), std::move(bucket), std::move(options));
}

Task<Result<LookupReply>> GatedObjects::lookup(Context context, BucketName bucket, std::string path) {
  if (auto may = check(context, bucket, Action::kRead); !may) {
    return refuse<Result<LookupReply>>(std::move(may).error());
  }
  return inner_.lookup(std::move(context), std::move(bucket), std::move(path));
}

Task<Result<ObjectInfo>> GatedObjects::make_dir(Context context, BucketName bucket, std::string path, MakeDirOptions options) {
  if (auto may = check_dir(context, bucket, path); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.make_dir(std::move(context), std::move(bucket), std::move(path), std::move(options));
}

Task<Status> GatedObjects::remove_dir(Context context, BucketName bucket, std::string path) {
  if (auto may = check_dir(context, bucket, path); !may) {
    return refuse<Status>(std::move(may).error());
  }
  return inner_.remove_dir(std::move(context), std::move(bucket), std::move(path));
}

Task<Status> GatedObjects::rename_dir(Context context, BucketName bucket, std::string from, std::string to, bool no_replace) {
  if (auto may = check_dir(context, bucket, from); !may) {
    return refuse<Status>(std::move(may).error());
  }
  return inner_.rename_dir(std::move(context), std::move(bucket), std::move(from), std::move(to), no_replace);
}

Task<Status> GatedObjects::sync(Context context, ObjectName name) {
  const auto may = name.key.empty() ? check(context, name.bucket, Action::kWrite)
                                    : check(context, name, Action::kWrite);
  if (!may) return refuse<Status>(std::move(may).error());
  return inner_.sync(std::move(context), std::move(name));
}

Task<Result<std::string>> GatedObjects::create_upload(Context context, ObjectName name, PutOptions options) {
  if (auto may = check(context, name, Action::kWrite); !may) {
    return refuse<Result<std::string>>(std::move(may).error());
  }
  return inner_.create_upload(std::move(context), std::move(name), std::move(options));
}

Task<Result<UploadPart>> GatedObjects::put_part(Context context, ObjectName name, std::string upload, std::uint32_t number, ExpectedChecksums expected, BodySource& body) {
  if (auto may = check_upload(context, name, upload, Action::kWrite); !may) {
    return refuse<Result<UploadPart>>(std::move(may).error());
  }
  return inner_.put_part(std::move(context), std::move(name), std::move(upload), number, std::move(expected), body);
}

Task<Result<ObjectInfo>> GatedObjects::complete_upload(Context context, ObjectName name, std::string upload, std::vector<CompletedPart> parts, Conditions conditions) {
  if (auto may = check_upload(context, name, upload, Action::kWrite); !may) {
    return refuse<Result<ObjectInfo>>(std::move(may).error());
  }
  return inner_.complete_upload(std::move(context), std::move(name), std::move(upload), std::move(parts), std::move(conditions));
}

Task<Status> GatedObjects::abort_upload(Context context, ObjectName name, std::string upload) {
  if (auto may = check_upload(context, name, upload, Action::kWrite); !may) {
    return refuse<Status>(std::move(may).error());
  }
  return inner_.abort_upload(std::move(context), std::move(name), std::move(upload));
}

Task<Result<PartList>> GatedObjects::list_parts(Context context, ObjectName name, std::string upload, std::uint32_t after, std::uint32_t limit) {
  if (auto may = check_upload(context, name, upload, Action::kRead); !may) {
    return refuse<Result<PartList>>(std::move(may).error());
  }
  return inner_.list_parts(std::move(context), std::move(name), std::move(upload), after, limit);
}

Task<Result<UploadList>> GatedObjects::list_uploads(Context context, BucketName bucket, std::string prefix, std::string after_key, std::string after_id, std::uint32_t limit) {
  if (auto may = check(context, bucket, Action::kRead); !may) {
    return refuse<Result<UploadList>>(std::move(may).error());
  }
  return inner_.list_uploads(std::move(context), std::move(bucket), std::move(prefix), std::move(after_key), std::move(after_id), limit);
}

}  // namespace aisfs::cluster
