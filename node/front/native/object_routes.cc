// SPDX-License-Identifier: MIT
#include "node/front/native/object_routes.h"

#include "common/model/version_key.h"
#include "common/placement/hrw.h"
#include "common/placement/prefix_map.h"
#include "node/front/native/bulk.h"
#include "node/front/native/redirect.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace {

/// Query parameters of features that are not there; ignoring one would answer something else than
/// what was asked.
const char* unsupported_parameter(const Call& call) {
  for (const char* name : {"archpath", "archregx", "archmime", "etl_name", "etl_pipeline"}) {
    if (call.target().has(name)) return name;
  }
  return nullptr;
}

Result<ObjectName> name_of(const Call& call) {
  PathTail tail = tail_of(call.target(), "objects");
  ObjectName name;
  TRY(name.bucket, bucket_of(call, std::move(tail.first)));
  name.key = std::move(tail.rest);
  CHECK_OK(is_bulk(call) ? validate_version_key(name.key) : validate_key(name.key));
  return name;
}

/// The node to redirect to; null when this one serves the request itself.
const NodeInfo* elsewhere(const Call& call, const ObjectName& name) {
  if (!call.may_redirect || call.marked || is_bulk(call)) return nullptr;
  const NodeInfo* owner = placement::owner_of(*call.map, placement::home_of(*call.map, name));
  return owner == nullptr || owner->id == call.node_id ? nullptr : owner;
}

Task<void> serve_put(Call& call, ObjectName name) {
  if (call.target().has("append_type")) return append_object(call, std::move(name));
  if (call.target().has("object_to")) return copy_object(call, std::move(name));
  if (call.target().has("uploadId")) return put_object_part(call, std::move(name));
  return put_object(call, std::move(name));
}

Task<void> serve_method(Call& call, ObjectName name) {
  switch (call.method()) {
    case http::Method::kGet: return get_object(call, std::move(name));
    case http::Method::kHead: return head_object(call, std::move(name));
    case http::Method::kPut: return serve_put(call, std::move(name));
    case http::Method::kDelete: return delete_object(call, std::move(name));
    case http::Method::kPatch: return patch_object(call, std::move(name));
    case http::Method::kPost: return post_object(call, std::move(name));
    default: break;
  }
  return reply_error(call, Error(Errc::unsupported, "objects have no such method"));
}

}  // namespace

Task<void> serve_objects(Call& call) {
  auto name = name_of(call);
  if (!name) return reply_error(call, std::move(name).error());
  if (const NodeInfo* owner = elsewhere(call, *name)) return reply_redirect(call, *owner);
  if (is_bulk(call)) return serve_bulk(call, *std::move(name));
  if (const char* parameter = unsupported_parameter(call)) {
    return reply_error(call, Error(Errc::unsupported,
                                   std::string(parameter) + " is not supported by this release"));
  }
  return serve_method(call, *std::move(name));
}

}  // namespace aisfs::native
