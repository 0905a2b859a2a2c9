// SPDX-License-Identifier: MIT
// Multipart uploads: their state lives with the key's owner.
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
  co_return co_await store_.create_upload(at.key, std::move(options), std::move(initiator));
}

Task<Result<UploadPart>> LocalTarget::put_part(Context context,
                                               ObjectName name,
                                               std::string upload,
                                               std::uint32_t number,
                                               ExpectedChecksums expected,
                                               BodySource& body) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  co_return co_await store_.put_part(at.key, std::move(upload), number, std::move(expected), body);
}

Task<Result<ObjectInfo>> LocalTarget::complete_upload(Context context,
                                                      ObjectName name,
                                                      std::string upload,
                                                      std::vector<CompletedPart> parts,
                                                      Conditions conditions) {
  CO_TRY(const Admitted at, admit_change(context, std::move(name)));
  if (!placement::is_plain(*at.map, at.bucket.id, at.key.key())) {
    // Its parts lie here, and the object's place is elsewhere until the directory is rewritten.
    co_return Error(Errc::not_ready, at.key.display() + ": its directory is being renamed");
  }
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  CO_CHECK_OK(co_await make_keepable(context, at.key));
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  auto done = co_await store_.complete_upload(at.key, std::move(upload), std::move(parts),
                                              std::move(conditions));
  if (done) CO_CHECK_OK(co_await change.told());
  co_return acknowledged(at, std::move(done));
}

Task<Status> LocalTarget::abort_upload(Context context, ObjectName name, std::string upload) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  co_return co_await store_.abort_upload(at.key, std::move(upload));
}

Task<Result<PartList>> LocalTarget::list_parts(Context context,
                                               ObjectName name,
                                               std::string upload,
                                               std::uint32_t after,
                                               std::uint32_t limit) {
  CO_TRY(const Admitted at, admit(context, std::move(name)));
  co_return co_await store_.list_parts(at.key, std::move(upload), after, limit);
}

Task<Result<UploadList>> LocalTarget::list_uploads(Context context,
                                                   BucketName name,
                                                   std::string prefix,
                                                   std::string after_key,
                                                   std::string after_id,
                                                   std::uint32_t limit) {
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.list_uploads(bucket.id, std::move(prefix), std::move(after_key),
                                         std::move(after_id), limit);
}

}  // namespace aisfs::target
