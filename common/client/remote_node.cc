// SPDX-License-Identifier: MIT
#include "common/client/remote_node.h"

#include "common/base/text.h"
#include "common/client/guarded_source.h"
#include "common/client/remote_call.h"
#include "common/client/replayed_source.h"

namespace aisfs {
namespace {

using wire::DataMethod;

http::ClientRequest bulk_request(http::Method method, const ObjectName& name, Deadline deadline) {
  http::ClientRequest request;
  request.head.method = method;
  request.head.target = object_target(name);
  request.deadline = deadline;
  return request;
}

bool worth_asking(const BodySource& body) {
  const auto size = body.remaining();
  return !size || *size > kUnaskedBytesMax;
}

Result<ByteRange> parse_body_range(std::string_view text) {
  const auto parts = split(text, ' ');
  if (parts.size() == 2) {
    const auto offset = parse_u64(parts[0]);
    const auto length = parse_u64(parts[1]);
    if (offset && length) return ByteRange{*offset, *length};
  }
  return Error(Errc::corrupt, "response without a proper " + std::string(wire::kRangeHeader));
}

/// The info of a response. Long fields that did not fit in its header are asked for by version.
Task<Result<ObjectInfo>> info_of(http::ResponseHead head,
                                 Transport& transport,
                                 NodeInfo node,
                                 Context context,
                                 ObjectName name) {
  CO_TRY(auto reply, value_of<wire::InfoReply>(head.fields.find(wire::kInfoHeader),
                                               wire::kInfoHeader));
  if (!head.fields.has(wire::kInfoCutHeader)) co_return std::move(reply.info);
  wire::HeadRequest whole{std::move(name), {}};
  whole.conditions.if_content_version = reply.info.content_version;
  CO_TRY(auto full, co_await call<wire::InfoReply>(transport, std::move(node), std::move(context),
                                                   DataMethod::head, std::move(whole)));
  co_return std::move(full.info);
}

/// An operation whose reply is an ObjectInfo.
template <class Request>
Task<Result<ObjectInfo>> call_info(Transport& transport,
                                   NodeInfo node,
                                   Context context,
                                   DataMethod method,
                                   Request request,
                                   Replay replay) {
  CO_TRY(auto reply, co_await call<wire::InfoReply>(transport, std::move(node), std::move(context),
                                                    method, std::move(request), replay));
  co_return std::move(reply.info);
}

/// An operation without a reply.
template <class Request>
Task<Status> call_status(Transport& transport,
                         NodeInfo node,
                         Context context,
                         DataMethod method,
                         Request request,
                         Replay replay) {
  CO_TRY([[maybe_unused]] auto reply,
         co_await call<wire::Nothing>(transport, std::move(node), std::move(context), method,
                                      std::move(request), replay));
  co_return Status{};
}

}  // namespace

std::string object_target(const ObjectName& name) {
  std::string target(wire::kObjectsPath);
  target += percent_encode(name.bucket.name, Slash::kEncode) + "/";
  target += percent_encode(name.key, Slash::kKeep);
  target += "?provider=" + percent_encode(name.bucket.provider, Slash::kEncode);
  if (!name.bucket.ns.empty()) {
    target += "&namespace=" + percent_encode(name.bucket.ns, Slash::kEncode);
  }
  return target;
}

Task<Result<ObjectStream>> stream_of(http::ClientResponse response,
                                     Transport& transport,
                                     NodeInfo node,
                                     Context context,
                                     ObjectName name) {
  ObjectStream stream;
  CO_TRY(stream.range, parse_body_range(response.head().fields.get(wire::kRangeHeader)));
  CO_TRY(stream.info, co_await info_of(response.head(), transport, std::move(node),
                                       std::move(context), std::move(name)));
  stream.body = std::move(response).take_body();
  co_return stream;
}

Task<Result<ObjectInfo>> RemoteNode::head(Context context, ObjectName name, Conditions conditions) {
  wire::HeadRequest request{std::move(name), std::move(conditions)};
  return call_info(transport_, node_, std::move(context), DataMethod::head, std::move(request),
                   Replay::kSafe);
}

namespace {

Task<Result<ObjectStream>> get_once(
    Transport& transport, NodeInfo node, Context context, ObjectName name, GetOptions options) {
  http::ClientRequest request = bulk_request(http::Method::kGet, name, context.deadline);
  wire::GetHeader header{std::move(options)};
  CO_TRY(const std::string encoded, header_of(header));
  request.head.fields.set(wire::kGetHeader, encoded);
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport, node, context, std::move(request)));
  co_return co_await stream_of(std::move(response), transport, std::move(node),
                               std::move(context), std::move(name));
}

Task<Result<ObjectInfo>> put_once(Transport& transport,
                                  NodeInfo node,
                                  Context context,
                                  ObjectName name,
                                  PutOptions options,
                                  ExpectedChecksums expected,
                                  BodySource& body) {
  http::ClientRequest request = bulk_request(http::Method::kPut, name, context.deadline);
  std::optional<GuardedSource> guarded;
  if (options.before_publish) guarded.emplace(body, std::move(options.before_publish));
  wire::PutHeader header{std::move(options), std::move(expected)};
  header.options.before_publish = nullptr;
  CO_TRY(const std::string encoded, header_of(header));
  request.head.fields.set(wire::kPutHeader, encoded);
  request.expect_continue = worth_asking(body);
  request.stream = guarded ? static_cast<BodySource*>(&*guarded) : &body;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport, node, context, std::move(request)));
  co_return co_await info_of(response.head(), transport, std::move(node), std::move(context),
                             std::move(name));
}

Task<Result<ObjectInfo>> patch_once(Transport& transport,
                                    NodeInfo node,
                                    Context context,
                                    ObjectName name,
                                    PatchOptions options,
                                    BodySource& body) {
  http::ClientRequest request = bulk_request(http::Method::kPut, name, context.deadline);
  wire::PatchHeader header{std::move(options)};
  std::string encoded = to_base64(as_bytes(wire::encode(header)));
  if (encoded.size() > wire::kEnvelopeHeaderMax) {
    co_return Error(Errc::too_large, "a patch has too many extents; send it in several");
  }
  request.head.fields.set(wire::kPatchHeader, encoded);
  request.expect_continue = worth_asking(body);
  request.stream = &body;
  CO_TRY(http::ClientResponse response,
         co_await send_checked(transport, node, context, std::move(request)));
  co_return co_await info_of(response.head(), transport, std::move(node), std::move(context),
                             std::move(name));
}

Task<Result<UploadPart>> put_part_once(Transport& transport,
                                       NodeInfo node,
                                       Context context,
                                       ObjectName name,
                                       wire::PartHeader part,
                                       BodySource& body) {
  http::ClientRequest request = bulk_request(http::Method::kPut, name, context.deadline);
  CO_TRY(const std::string encoded, header_of(part));
  request.head.fields.set(wire::kPartHeader, encoded);
  request.expect_continue = worth_asking(body);
  request.stream = &body;
  CO_TRY(http::ClientResponse response, co_await send_checked(transport, std::move(node),
                                                              std::move(context),
                                                              std::move(request)));
  CO_TRY(auto reply, value_of<wire::PartReply>(response.head().fields.find(wire::kPartReplyHeader),
                                               wire::kPartReplyHeader));
  co_return std::move(reply.part);
}

Task<Result<std::string>> create_upload_once(
    Transport& transport, NodeInfo node, Context context, wire::CreateUploadRequest request) {
  CO_TRY(auto reply, co_await call<wire::TextReply>(transport, std::move(node), std::move(context),
                                                    DataMethod::create_upload, std::move(request)));
  co_return std::move(reply.text);
}

}  // namespace

Task<Result<ObjectStream>> RemoteNode::get(Context context, ObjectName name, GetOptions options) {
  return get_once(transport_, node_, std::move(context), std::move(name), std::move(options));
}

Task<Result<ObjectInfo>> RemoteNode::put(Context context,
                                         ObjectName name,
                                         PutOptions options,
                                         ExpectedChecksums expected,
                                         BodySource& body) {
  return put_once(transport_, node_, std::move(context), std::move(name), std::move(options),
                  std::move(expected), body);
}

Task<Result<ObjectInfo>> RemoteNode::set_attrs(Context context,
                                               ObjectName name,
                                               AttrChange change,
                                               Conditions conditions) {
  const Replay replay = replay_of(change, conditions);
  wire::SetAttrsRequest request{std::move(name), std::move(change), std::move(conditions)};
  return call_info(transport_, node_, std::move(context), DataMethod::set_attrs, std::move(request),
                   replay);
}

Task<Status> RemoteNode::remove(Context context, ObjectName name, RemoveOptions options) {
  const Replay replay = replay_of(options);
  wire::RemoveRequest request{std::move(name), std::move(options)};
  return call_status(transport_, node_, std::move(context), DataMethod::remove, std::move(request),
                     replay);
}

Task<Result<ObjectInfo>> RemoteNode::rename(Context context,
                                            ObjectName from,
                                            ObjectName to,
                                            RenameOptions options) {
  wire::RenameRequest request{std::move(from), std::move(to), std::move(options)};
  return call_info(transport_, node_, std::move(context), DataMethod::rename, std::move(request),
                   Replay::kAmbiguous);
}

Task<Result<ObjectInfo>> RemoteNode::copy(Context context,
                                          ObjectName from,
                                          ObjectName to,
                                          CopyOptions options) {
  const Replay replay = replay_of(options);
  wire::CopyRequest request{std::move(from), std::move(to), std::move(options)};
  return call_info(transport_, node_, std::move(context), DataMethod::copy, std::move(request),
                   replay);
}

Task<Result<ObjectInfo>> RemoteNode::patch(Context context,
                                           ObjectName name,
                                           PatchOptions options,
                                           BodySource& body) {
  return patch_once(transport_, node_, std::move(context), std::move(name), std::move(options),
                    body);
}

Task<Result<ListPage>> RemoteNode::list(Context context, BucketName bucket, ListOptions options) {
  wire::ListRequest request{std::move(bucket), std::move(options)};
  return call<ListPage>(transport_, node_, std::move(context), DataMethod::list,
                        std::move(request));
}

Task<Result<LookupReply>> RemoteNode::lookup(Context context,
                                             BucketName bucket,
                                             std::string path) {
  wire::PathRequest request{std::move(bucket), std::move(path)};
  return call<LookupReply>(transport_, node_, std::move(context), DataMethod::lookup,
                           std::move(request));
}

Task<Result<ObjectInfo>> RemoteNode::make_dir(Context context,
                                              BucketName bucket,
                                              std::string path,
                                              MakeDirOptions options) {
  wire::MakeDirRequest request{std::move(bucket), std::move(path), std::move(options)};
  return call_info(transport_, node_, std::move(context), DataMethod::make_dir, std::move(request),
                   Replay::kAmbiguous);
}

Task<Status> RemoteNode::remove_dir(Context context, BucketName bucket, std::string path) {
  wire::PathRequest request{std::move(bucket), std::move(path)};
  return call_status(transport_, node_, std::move(context), DataMethod::remove_dir,
                     std::move(request), Replay::kAmbiguous);
}

Task<Status> RemoteNode::rename_dir(
    Context context, BucketName bucket, std::string from, std::string to, bool no_replace) {
  wire::RenameDirRequest request{std::move(bucket), std::move(from), std::move(to), no_replace};
  return call_status(transport_, node_, std::move(context), DataMethod::rename_dir,
                     std::move(request), Replay::kAmbiguous);
}

Task<Result<Capacity>> RemoteNode::capacity(Context context) {
  return call<Capacity>(transport_, node_, std::move(context), DataMethod::capacity,
                        wire::Nothing{});
}

Task<Status> RemoteNode::sync(Context context, ObjectName name) {
  wire::SyncRequest request{std::move(name)};
  return call_status(transport_, node_, std::move(context), DataMethod::sync, std::move(request),
                     Replay::kSafe);
}

Task<Result<std::string>> RemoteNode::create_upload(Context context,
                                                    ObjectName name,
                                                    PutOptions options) {
  wire::CreateUploadRequest request{std::move(name), std::move(options)};
  return create_upload_once(transport_, node_, std::move(context), std::move(request));
}

Task<Result<UploadPart>> RemoteNode::put_part(Context context,
                                              ObjectName name,
                                              std::string upload,
                                              std::uint32_t number,
                                              ExpectedChecksums expected,
                                              BodySource& body) {
  wire::PartHeader part{std::move(upload), number, std::move(expected)};
  return put_part_once(transport_, node_, std::move(context), std::move(name), std::move(part),
                       body);
}

Task<Result<ObjectInfo>> RemoteNode::complete_upload(Context context,
                                                     ObjectName name,
                                                     std::string upload,
                                                     std::vector<CompletedPart> parts,
                                                     Conditions conditions) {
  wire::CompleteUploadRequest request{std::move(name), std::move(upload), std::move(parts),
                                      std::move(conditions)};
  return call_info(transport_, node_, std::move(context), DataMethod::complete_upload,
                   std::move(request), Replay::kGuarded);
}

Task<Status> RemoteNode::abort_upload(Context context, ObjectName name, std::string upload) {
  wire::AbortUploadRequest request{std::move(name), std::move(upload)};
  return call_status(transport_, node_, std::move(context), DataMethod::abort_upload,
                     std::move(request), Replay::kAmbiguous);
}

Task<Result<PartList>> RemoteNode::list_parts(Context context,
                                              ObjectName name,
                                              std::string upload,
                                              std::uint32_t after,
                                              std::uint32_t limit) {
  wire::ListPartsRequest request{std::move(name), std::move(upload), after, limit};
  return call<PartList>(transport_, node_, std::move(context), DataMethod::list_parts,
                        std::move(request));
}

Task<Result<UploadList>> RemoteNode::list_uploads(Context context,
                                                  BucketName bucket,
                                                  std::string prefix,
                                                  std::string after_key,
                                                  std::string after_id,
                                                  std::uint32_t limit) {
  wire::ListUploadsRequest request{std::move(bucket), std::move(prefix), std::move(after_key),
                                   std::move(after_id), limit};
  return call<UploadList>(transport_, node_, std::move(context), DataMethod::list_uploads,
                          std::move(request));
}

}  // namespace aisfs
