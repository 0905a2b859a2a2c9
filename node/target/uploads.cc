// SPDX-License-Identifier: MIT
// Multipart uploads: their parts stay with whoever owned the key when they began.
#include "common/model/upload_id.h"
#include "common/placement/prefix_map.h"
#include "node/target/levels.h"
#include "node/target/local_target.h"

namespace aisfs::target {

Task<Result<std::string>> LocalTarget::create_upload(Context context,
                                                     ObjectName name,
                                                     PutOptions options) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  CO_CHECK_OK(co_await check_parent(context, at, options.has_parent));
  options.level = level_of(at.bucket, options.level, options.lower_level);
  std::string initiator = options.initiator.empty() ? context.who.user() : options.initiator;
  CO_TRY(std::string local,
         co_await store_.create_upload(at.key, std::move(options), std::move(initiator)));
  co_return UploadId{std::move(local), options_.node_id}.to_string();
}

Task<Result<UploadPart>> LocalTarget::put_part(Context context,
                                               ObjectName name,
                                               std::string upload,
                                               std::uint32_t number,
                                               ExpectedChecksums expected,
                                               BodySource& body) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  upload = UploadId::parse(upload).local;
  co_return co_await store_.put_part(at.key, std::move(upload), number, std::move(expected), body);
}

Task<Result<ObjectInfo>> LocalTarget::complete_upload(Context context,
                                                      ObjectName name,
                                                      std::string upload,
                                                      std::vector<CompletedPart> parts,
                                                      Conditions conditions) {
  CO_TRY(const Admitted at, admit_change(context, std::move(name)));
  upload = UploadId::parse(upload).local;
  if (!placement::is_plain(*at.map, at.bucket.id, at.key.key())) {
    // Its parts lie here, and the object's place is elsewhere until the directory is rewritten.
    co_return Error(Errc::not_ready, at.key.display() + ": its directory is being renamed");
  }
  CO_TRY(const std::string owner, owner_of(at.key.name));
  if (owner != options_.node_id) {
    auto send = [this, &context, &at](PutOptions put, BodySource& body) {
      return send_completed(context, at.key.name, std::move(put), body);
    };
    co_return co_await store_.complete_upload(at.key, std::move(upload), std::move(parts),
                                              std::move(conditions), std::move(send));
  }
  conditions.unless_newer = context.unless_newer;
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  CO_CHECK_OK(co_await make_keepable(context, at.key));
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(change.begin());
  auto done = co_await store_.complete_upload(at.key, std::move(upload), std::move(parts),
                                              std::move(conditions));
  if (done) {
    CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent));
    split_soon(at, *done);
  } else {
    CO_CHECK_OK(co_await change.refused(done.error()));
  }
  co_return acknowledged(at, std::move(done));
}

/// By the map of now: the change that the caller has begun here changes nothing here.
Task<Result<ObjectInfo>> LocalTarget::send_completed(Context context,
                                                     ObjectName name,
                                                     PutOptions put,
                                                     BodySource& body) {
  context.epoch = 0;
  ExpectedChecksums unknown;
  return peers_.cluster().put(std::move(context), std::move(name), std::move(put),
                              std::move(unknown), body);
}

Task<Status> LocalTarget::abort_upload(Context context, ObjectName name, std::string upload) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  co_return co_await store_.abort_upload(at.key, UploadId::parse(upload).local);
}

Task<Result<PartList>> LocalTarget::list_parts(Context context,
                                               ObjectName name,
                                               std::string upload,
                                               std::uint32_t after,
                                               std::uint32_t limit) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  co_return co_await store_.list_parts(at.key, UploadId::parse(upload).local, after, limit);
}

Task<Result<UploadList>> LocalTarget::list_uploads(Context context,
                                                   BucketName name,
                                                   std::string prefix,
                                                   std::string after_key,
                                                   std::string after_id,
                                                   std::uint32_t limit) {
  CO_TRY(const Bucket bucket, admit(context, name));
  // Uploads of one key at two targets are in the order of what is in front of their targets.
  CO_TRY(UploadList list,
         co_await store_.list_uploads(bucket.id, std::move(prefix), std::move(after_key),
                                      UploadId::parse(after_id).local, limit));
  for (UploadInfo& upload : list.uploads) {
    upload.id = UploadId{std::move(upload.id), options_.node_id}.to_string();
  }
  co_return list;
}

}  // namespace aisfs::target
