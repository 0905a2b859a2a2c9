// SPDX-License-Identifier: MIT
// LocalTarget: changes of content.
#include "common/client/copy_options.h"
#include "common/model/version_key.h"
#include "common/placement/prefix_map.h"
#include "node/target/after_change.h"
#include "node/target/copy_streams.h"
#include "node/target/levels.h"
#include "node/target/local_target.h"

namespace aisfs::target {

Task<Result<ObjectInfo>> LocalTarget::put(Context context,
                                          ObjectName name,
                                          PutOptions options,
                                          ExpectedChecksums expected,
                                          BodySource& body) {
  CO_TRY(Admitted at, admit(context, std::move(name)));
  if (is_version_key(at.key.key())) {
    co_return Error(Errc::invalid_argument, "nothing is written to a version");
  }
  options.conditions.unless_newer = context.unless_newer;
  CO_TRY(const Parent parent, co_await check_parent(context, at, options.has_parent));
  if (options.headers.contains(std::string(kDeleteMarkerHeader))) {
    const Durability level = at.bucket.props.write_level;
    co_return co_await put_delete_marker(std::move(context), std::move(at),
                                         std::move(options.conditions), level);
  }
  const bool whole = !options.conditions.any() && !options.keep_attrs;
  CO_CHECK_OK(co_await settle_for_write(
      context, at.key, whole ? Handover::Need::kReplace : Handover::Need::kChange));
  if (options.reservation) {
    auto ticket = changes_.begin(maps_.current()->epoch);
    CO_CHECK_OK(check_placed(at));
    CO_TRY(const auto making, make_in(at, parent));
    CO_CHECK_OK(check_unreserved(at.key));
    lease(context, *at.map, at.bucket.id, path_of(at.key.key()));
    auto change = changing(context, at.key);
    CO_CHECK_OK(co_await change.alone());
    CO_CHECK_OK(change.begin());
    auto reserved = co_await store_.reserve(at.key, std::move(options));
    if (reserved) {
      CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent, std::move(ticket)));
    } else {
      CO_CHECK_OK(co_await change.refused(reserved.error()));
    }
    co_return acknowledged(at, std::move(reserved));
  }
  options.level = level_of(at.bucket, options.level, options.lower_level);
  if (at.bucket.props.copies > 1 && !options.size) options.size = body.remaining();
  // The body may be long on its way: only what follows it is a change under way.
  ChangesUnderWay::Ticket ticket;
  ClosedDirs::Ticket making;
  Change* publishing = nullptr;
  options.before_publish = [this, &at, &ticket, &parent, &making, &publishing,
                            asked = std::move(options.before_publish)]() -> Status {
    ticket = changes_.begin(maps_.current()->epoch);
    CHECK_OK(check_placed(at));
    TRY(making, make_in(at, parent));
    CHECK_OK(check_unreserved(at.key));  // one that came while the body was on its way
    if (asked) CHECK_OK(asked());
    return publishing->begin();
  };
  CO_CHECK_OK(co_await make_keepable(context, at.key));
  CO_TRY(const auto old, reference_of(at.key));
  lease(context, *at.map, at.bucket.id, path_of(at.key.key()));
  auto change = changing(context, at.key);
  publishing = &change;
  CO_CHECK_OK(co_await change.alone());
  Result<ObjectInfo> made(Errc::internal);
  // Without room it is split afterwards.
  const auto room = splits_at_once(at, options) ? slicer_.room() : std::nullopt;
  const bool splits = room.has_value();
  const auto streams = splits ? nullptr : streams_of(context, at, options);
  if (streams) {
    made = co_await put_streamed(*streams, at, std::move(options), std::move(expected), body,
                                 change, ticket);
  } else if (splits) {
    made = co_await put_sliced(context, at, std::move(options), std::move(expected), body);
  } else {
    made = co_await store_.put(at.key, std::move(options), std::move(expected), body);
  }
  if (!made) CO_CHECK_OK(co_await change.refused(made.error()));
  CO_TRY(ObjectInfo info, std::move(made));
  if (!streams) CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent, std::move(ticket)));
  if (old) CO_CHECK_OK(after_change(co_await drop_referenced(std::move(context), at.key, *old)));
  if (!splits) split_soon(at, info);
  co_return acknowledged(at, Result<ObjectInfo>(std::move(info)));
}

Task<Result<ObjectInfo>> LocalTarget::patch(Context context,
                                            ObjectName name,
                                            PatchOptions options,
                                            BodySource& body) {
  CO_TRY(const Admitted at, admit_change(context, std::move(name)));
  CO_CHECK_OK(co_await settle_for_write(context, at.key));
  CO_TRY(const auto kept, co_await keep_whole(context, at.key));
  CO_CHECK_OK(co_await materialise(context, at.key));
  options.level = level_of(at.bucket, options.level, options.lower_level);
  auto change = changing(context, at.key);
  CO_CHECK_OK(co_await change.alone());
  CO_CHECK_OK(check_placed(at));
  CO_CHECK_OK(change.begin());
  auto patched = co_await store_.patch(at.key, std::move(options), body);
  if (patched) {
    CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent));
    split_soon(at, *patched);
  } else {
    CO_CHECK_OK(co_await change.refused(patched.error()));
  }
  if (!patched && is_damage(patched.error())) healer_.suspect(at.key);
  co_return acknowledged(at, std::move(patched));
}

Task<Result<ObjectInfo>> LocalTarget::copy(Context context,
                                           ObjectName from,
                                           ObjectName to,
                                           CopyOptions options) {
  CO_TRY(Admitted source, admit(context, from));
  CO_TRY(Admitted target, admit(context, to));
  CO_TRY(const Parent parent, co_await check_parent(context, target, options.put.has_parent));
  CO_TRY(target, admit_change(context, to));
  CO_CHECK_OK(co_await settle_for_write(context, target.key));
  CO_TRY(const std::string owner, owner_of(from));
  // The source is named as users know it.
  const bool plain = placement::is_plain(*source.map, source.bucket.id, from.key);
  CO_TRY(const auto referred, reference_of(source.key));
  const bool whole = !referred || !store::is_sliced(*referred);
  if (plain && whole && owner == options_.node_id) {
    if (is_version_key(from.key)) {
      CO_CHECK_OK(co_await find_version(context, source, options.source_conditions));
    }
    CO_CHECK_OK(co_await make_keepable(context, target.key));
    CO_CHECK_OK(co_await settle_for_write(context, source.key, Handover::Need::kRead));
    CO_TRY(const auto kept, co_await keep_whole(context, source.key));
    CO_CHECK_OK(co_await materialise(context, source.key));
    options.put.level = level_of(target.bucket, options.put.level, options.put.lower_level);
    CO_TRY(const auto making, make_in(target, parent));
    options.destination_conditions.unless_newer = context.unless_newer;
    auto change = changing(context, target.key);
    CO_CHECK_OK(co_await change.alone());
    CO_CHECK_OK(check_placed(target));
    CO_CHECK_OK(change.begin());
    auto copied = co_await store_.copy_local(source.key, target.key, std::move(options));
    if (copied) {
      CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent));
      split_soon(target, *copied);
    } else {
      CO_CHECK_OK(co_await change.refused(copied.error()));
    }
    // What was copied, or is said not to be there, outlives the loss of this target.
    Status known = co_await replicator_->seen(context, source.key);
    CO_CHECK_OK(copied ? after_change(std::move(known)) : std::move(known));
    if (!copied && is_damage(copied.error())) healer_.suspect(source.key);
    co_return acknowledged(target, std::move(copied));
  }
  GetOptions get{.conditions = std::move(options.source_conditions)};
  CO_TRY(ObjectStream stream, co_await peers_.cluster().get(context, from, std::move(get)));
  PutOptions put = put_options_of_copy(options, stream.info);
  put.size = stream.info.size;
  ExpectedChecksums unknown;
  co_return co_await this->put(std::move(context), std::move(to), std::move(put),
                               std::move(unknown), *stream.body);
}

}  // namespace aisfs::target
