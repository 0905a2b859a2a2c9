// SPDX-License-Identifier: MIT
// LocalTarget: objects that reach their other holders while they arrive (copy_streams.h), and those
// of other owners.
#include "common/async/gather.h"
#include "common/base/defer.h"
#include "common/placement/hrw.h"
#include "node/target/copy_streams.h"
#include "node/target/local_target.h"

namespace aisfs::target {
namespace {

// A smaller object is in the owner's memory anyway, and is sent as fast when it is published.
constexpr std::uint64_t kStreamedBytesMin = kHashBlockBytes;

Task<Status> done(Task<Result<ObjectInfo>> making, Result<ObjectInfo>& made) {
  made = co_await std::move(making);
  co_return made ? Status{} : Status(made.error());
}

/// As many bytes as the upload was promised; more are left in the body.
Task<Status> take_bytes(BodySource& body, store::Upload& upload, std::uint64_t bytes) {
  while (upload.size() < bytes) {
    MutableBytes space = upload.space();
    space = space.first(std::min<std::uint64_t>(space.size(), bytes - upload.size()));
    CO_TRY(const std::size_t n, co_await body.read(space));
    if (n == 0) co_return Error(Errc::corrupt, "a copy is cut off");
    CO_CHECK_OK(co_await upload.filled(n));
  }
  co_return Status{};
}

}  // namespace

std::unique_ptr<CopyStreams> LocalTarget::streams_of(const Context& context,
                                                     const Admitted& at,
                                                     const PutOptions& options) {
  // What is kept of versions has to be there before the new one.
  const bool worth_it = at.bucket.props.copies > 1 && at.key.versioning == Versioning::kOff &&
                        options.size && *options.size >= kStreamedBytesMin;
  if (!worth_it) return nullptr;
  const MapSnapshot map = maps_.current();
  std::vector<std::string> others;
  for (const NodeInfo* holder : placement::holders_of(*map, at.key.name, at.bucket.props.copies)) {
    if (holder->id != options_.node_id) others.push_back(holder->id);
  }
  if (others.empty()) return nullptr;
  Context own{.who = auth::node_identity(options_.node_id),
              .deadline = context.deadline,
              .trace = context.trace};
  own.epoch = map->epoch;
  StreamedCopy copy{.bucket = at.bucket.name,
                    .key = at.key.key(),
                    .bytes = *options.size,
                    .level = options.level};
  return std::make_unique<CopyStreams>(peers_, std::move(own), std::move(copy), std::move(others));
}

Task<Result<ObjectInfo>> LocalTarget::put_streamed(CopyStreams& streams,
                                                   const Admitted& at,
                                                   PutOptions options,
                                                   ExpectedChecksums expected,
                                                   BodySource& body,
                                                   Change& change,
                                                   ChangesUnderWay::Ticket& ticket) {
  Result<ObjectInfo> made(Errc::cancelled);
  std::vector<Task<Status>> tasks;
  tasks.push_back(done(
      publish_streamed(streams, at, std::move(options), std::move(expected), body, change, ticket),
      made));
  for (std::size_t i = 0; i < streams.size(); ++i) tasks.push_back(streams.send(i));
  (void)co_await gather(std::move(tasks));
  co_return made;
}

Task<Result<ObjectInfo>> LocalTarget::publish_streamed(CopyStreams& streams,
                                                       const Admitted& at,
                                                       PutOptions options,
                                                       ExpectedChecksums expected,
                                                       BodySource& body,
                                                       Change& change,
                                                       ChangesUnderWay::Ticket& ticket) {
  const auto upload = store_.begin_put(at.key, std::move(options), std::move(expected));
  const Defer stop([&streams] { streams.stop(); });
  CO_CHECK_OK(co_await streams.pass(body, *upload));
  CO_TRY(ObjectInfo info, co_await upload->commit());
  CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent, std::move(ticket), &streams));
  co_return info;
}

Task<Status> LocalTarget::take_streamed(Context context,
                                        std::string from,
                                        StreamedCopy copy,
                                        BodySource& body) {
  CO_TRY(const Bucket bucket, admit(context, copy.bucket));
  const store::Key key = store::make_key(bucket.id, {copy.bucket, copy.key});
  PutOptions options{.level = copy.level, .size = copy.bytes};
  const auto upload = store_.begin_put(key, std::move(options));
  CO_CHECK_OK(co_await take_bytes(body, *upload, copy.bytes));
  // While the owner does the same. Nothing is visible here before he says what he has published.
  CO_CHECK_OK(co_await upload->prepare());
  CO_TRY(const std::string bytes, co_await read_all(body, kCopyEndBytesMax));
  CO_TRY(CopyEnd end, decode_copy_end(bytes));
  if (end.meta.key != copy.key || end.meta.reference) {
    co_return Error(Errc::invalid_argument, "what comes behind a copy is not of it");
  }
  context.epoch = end.epoch;
  CO_TRY(const Copying copying, admit_copy(context, copy.bucket));
  CO_CHECK_OK(check_copy_from(*copying.map, copying.bucket, from, key.name));
  const Version version = end.meta.info.meta_version;
  auto taken = co_await upload->adopt(std::move(end.meta));
  if (taken) confirm_copy(key, version);
  co_return taken ? Status{} : Status(std::move(taken).error());
}

}  // namespace aisfs::target
