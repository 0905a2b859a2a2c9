// SPDX-License-Identifier: MIT
// Names whose bytes lie where another key put them.
#include <algorithm>

#include "common/placement/hrw.h"
#include "node/target/local_target.h"
#include "node/target/rename_log.h"

namespace aisfs::target {
namespace {

/// A range of a body that can only be had from its beginning.
class RangeOf final : public BodySource {
 public:
  RangeOf(std::unique_ptr<BodySource> whole, ByteRange range)
      : whole_(std::move(whole)), skip_(range.offset), left_(range.length) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    while (skip_ > 0) {
      const std::size_t part = std::min<std::uint64_t>(into.size(), skip_);
      CO_TRY(const std::size_t n, co_await whole_->read(into.first(part)));
      if (n == 0) co_return Error(Errc::corrupt, "a copy ends too early");
      skip_ -= n;
    }
    if (left_ == 0) co_return std::size_t{0};
    const std::size_t part = std::min<std::uint64_t>(into.size(), left_);
    CO_TRY(const std::size_t n, co_await whole_->read(into.first(part)));
    if (n == 0) co_return Error(Errc::corrupt, "a copy ends too early");
    left_ -= n;
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return left_; }

 private:
  const std::unique_ptr<BodySource> whole_;
  std::uint64_t skip_, left_;
};

}  // namespace

Result<std::optional<store::Reference>> LocalTarget::reference_of(const store::Key& key) const {
  auto reference = store_.resolve(key);
  if (reference) return reference;
  // Of what may lie on a mountpath that is out of reach the store says so, to who has to know.
  const bool none = reference.error() == Errc::not_found || store_.may_lack(key);
  return none ? std::optional<store::Reference>() : std::move(reference);
}

Task<Result<ObjectStream>> LocalTarget::open_content(Context context,
                                                     BucketName name,
                                                     store::Reference content,
                                                     ByteRange range) {
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.open_content(bucket.id, std::move(name), std::move(content), range,
                                         bucket.props.verify_read);
}

Task<Status> LocalTarget::drop_content(Context context, BucketName name, store::Reference content) {
  CO_TRY(const Bucket bucket, admit(context, name));
  co_return co_await store_.drop_content(bucket.id, std::move(name), std::move(content));
}

/// Content stays where a rename has left it, though its key gets another owner meanwhile: the
/// likeliest place first.
Result<std::vector<std::string>> LocalTarget::places_of_content(
    const store::Key& key, const store::Reference& content) const {
  const ObjectName placed{key.name.bucket, content.key};
  TRY(std::string owner, owner_of(placed));
  // Of a rename between two mountpaths it lies here, wherever the old name belongs by now.
  std::vector<std::string> places{options_.node_id};
  if (owner != options_.node_id) places.push_back(std::move(owner));
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  if (bucket == nullptr || map->placement.past.empty()) return places;
  const auto add = [&](const std::string& node) {
    const NodeInfo* known = map->find_node(node);
    const bool answers = known != nullptr && known->state != NodeState::kAway;
    if (answers && std::find(places.begin(), places.end(), node) == places.end()) {
      places.push_back(node);
    }
  };
  for (const NodeInfo* holder : placement::holders_of(*map, placed, bucket->props.copies)) {
    add(holder->id);
  }
  const std::string nobody;  // so that no set is left out
  const auto past = placement::past_holders(*map, *bucket, placed, nobody);
  for (const auto& holders : past.sets) std::for_each(holders.begin(), holders.end(), add);
  std::for_each(past.others.begin(), past.others.end(), add);
  return places;
}

Task<Result<ObjectStream>> LocalTarget::open_content_at(Context context,
                                                        std::string node,
                                                        BucketName bucket,
                                                        store::Reference content,
                                                        ByteRange range) {
  if (node == options_.node_id) {
    return open_content(std::move(context), std::move(bucket), std::move(content), range);
  }
  return peers_.open_content(std::move(context), std::move(node), std::move(bucket),
                             std::move(content), range);
}

Task<Result<ObjectStream>> LocalTarget::open_content_anywhere(Context context,
                                                              const store::Key& key,
                                                              store::Reference content,
                                                              ByteRange range) {
  CO_TRY(std::vector<std::string> places, places_of_content(key, content));
  Result<ObjectStream> stream(Errc::not_found);
  for (std::string& place : places) {
    auto found =
        co_await open_content_at(context, std::move(place), key.name.bucket, content, range);
    // One that does not answer may be the one that has it.
    if (found || stream.error() == Errc::not_found) stream = std::move(found);
    if (stream) break;
  }
  // The name exists, so its bytes do: not_found would say that of the name, to a reader as to who
  // asks whether a rename has happened.
  if (!stream && stream.error() == Errc::not_found) {
    co_return Error(Errc::not_ready, key.display() + ": its content is on its way");
  }
  co_return stream;
}

/// The target where the content lies may be gone for good: a mirrored name's other holders were
/// sent the bytes.
Task<Result<ObjectStream>> LocalTarget::open_copy_elsewhere(Context context,
                                                            const store::Key& key,
                                                            ByteRange range) {
  CO_TRY(const auto states, store_.states_of(key));
  const auto own = std::ranges::find(states, key.key(), &store::NameState::key);
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  Result<ObjectStream> stream(Errc::not_found);
  if (own == states.end() || bucket == nullptr || bucket->props.copies == 1) co_return stream;
  for (std::string& node : placement::holder_ids(*map, key.name, bucket->props.copies)) {
    if (node == options_.node_id) continue;
    auto copy = co_await peers_.fetch_copy(context, std::move(node), key.name.bucket, *own);
    if (!copy || copy->meta.reference) continue;
    stream = ObjectStream{std::move(copy->meta.info), range,
                          std::make_unique<RangeOf>(std::move(copy->body), range)};
    break;
  }
  co_return stream;
}

/// The bytes of a name that is a reference; `info` is the name's.
Task<Result<ObjectStream>> LocalTarget::open_referenced(Context context,
                                                        store::Key key,
                                                        store::Reference content,
                                                        GetOptions options,
                                                        ObjectInfo info) {
  if (options.version && *options.version != info.content_version) {
    co_return Error(Errc::precondition_failed, key.display() + ": the version is gone");
  }
  if (options.range.offset > 0 && options.range.offset >= info.size) {
    co_return Error(Errc::out_of_range, key.display());
  }
  const ByteRange range = options.range.within(info.size);
  if (content.is_empty()) {
    co_return ObjectStream{std::move(info), range, std::make_unique<StringSource>("")};
  }
  if (store::is_sliced(content)) {
    co_return co_await open_sliced(std::move(context), std::move(key), std::move(content),
                                   std::move(info), range);
  }
  auto stream = co_await open_content_anywhere(context, key, std::move(content), range);
  if (!stream) {
    auto copy = co_await open_copy_elsewhere(std::move(context), key, range);
    if (copy) stream = std::move(copy);
  }
  if (!stream) co_return std::move(stream).error();
  stream->info = std::move(info);
  stream->range = range;
  co_return stream;
}

Task<Status> LocalTarget::drop_referenced(Context context,
                                          store::Key key,
                                          store::Reference content) {
  if (content.is_empty()) co_return Status{};
  if (store::is_sliced(content)) {
    CO_TRY(const auto now, reference_of(key));
    if (!now || *now != content) slicer_.drop_later(key, std::move(content));
    co_return Status{};
  }
  CO_TRY(std::vector<std::string> places, places_of_content(key, content));
  Status dropped;
  for (std::string& place : places) {
    if (place == options_.node_id) {
      dropped = co_await drop_content(context, key.name.bucket, content);
      continue;
    }
    // What cannot be dropped now is garbage that a scrub finds; the name is right either way.
    (void)co_await peers_.drop_content(context, std::move(place), key.name.bucket, content);
  }
  co_return dropped;
}

Task<Status> LocalTarget::end_reservation(Context context, store::Key key) {
  CO_TRY(const auto reference, reference_of(key));
  if (!reference || !reference->is_empty()) co_return Status{};
  co_return co_await materialise(std::move(context), std::move(key));
}

/// Only a rename makes a reference to content. One that a lost disk has cut short, before the old
/// name was gone, has left that with the very content; after a restart nobody may know of it.
Task<Status> LocalTarget::remove_renamed(Context context,
                                         const store::Key& key,
                                         store::Reference content) {
  const store::Key old = store::make_key(key.bucket, {key.name.bucket, std::move(content.key)});
  const auto owner = owner_of(old.name);
  if (!owner || *owner != options_.node_id) co_return Status{};  // its owner has the intent
  CO_TRY(const auto states, store_.states_here(old));
  const auto there = std::ranges::find(states, old.key(), &store::NameState::key);
  const bool is_left = there != states.end() && there->kind != store::NameState::Kind::kTombstone &&
                       there->content_version == content.content_version;
  if (!is_left) co_return Status{};
  RemoveOptions same{.conditions = {.if_meta_version = there->meta_version}};
  Status gone = co_await remove(std::move(context), old.name, std::move(same));
  const bool is_over = gone || gone.error() == Errc::not_found;
  co_return is_over ? Status{} : std::move(gone);
}

Task<Status> LocalTarget::materialise(Context context, store::Key key) {
  key.versioning = Versioning::kOff;  // the same version, somewhere else
  CO_TRY(const auto reference, reference_of(key));
  if (!reference) co_return Status{};
  if (store_.copies_kept(key.bucket) > 1 && !store::is_sliced(*reference)) {
    CO_CHECK_OK(co_await remove_renamed(context, key, *reference));
  }
  Conditions none;
  CO_TRY(ObjectInfo info, co_await store_.head(key, std::move(none)));
  GetOptions all;
  CO_TRY(ObjectStream stream,
         co_await open_referenced(context, key, *reference, std::move(all), info));
  PutOptions put{.level = reference->is_empty() ? Durability::kNone : Durability::kFull,
                 .size = info.size,
                 .etag = info.etag,
                 .content_type = info.content_type,
                 .headers = info.headers,
                 .user = info.user,
                 .xattrs = info.xattrs,
                 .posix = info.posix,
                 .checksums = info.checksums,
                 .keep_attrs = true};
  put.conditions.if_meta_version = info.meta_version;
  // The bytes may be long on their way.
  ChangesUnderWay::Ticket ticket;
  const Epoch since = maps_.current()->placement.since;
  put.before_publish = [this, &key, &ticket, since]() -> Status {
    ticket = changes_.begin(maps_.current()->epoch);
    if (options_.may_serve) CHECK_OK(options_.may_serve());
    if (maps_.current()->placement.since != since) {
      return Error(Errc::stale_map, key.display() + ": targets have changed meanwhile");
    }
    TRY(const std::string owner, owner_of(key.name));
    if (owner != options_.node_id) {
      return Error(Errc::stale_map, key.display() + " belongs to another target by now");
    }
    return check_unreserved(key);
  };
  ExpectedChecksums unknown;
  auto change = changing(context, key);
  CO_CHECK_OK(change.begin());
  auto done = co_await store_.put(key, std::move(put), std::move(unknown), *stream.body);
  // Somebody was faster: whoever replaced the name has dropped the content.
  if (!done && done.error() == Errc::precondition_failed) co_return Status{};
  if (!done) co_return std::move(done).error();
  stream.body.reset();
  CO_CHECK_OK(co_await change.told(Replicator::Kind::kContent));
  co_return co_await drop_referenced(std::move(context), std::move(key), *reference);
}

/// After a rename to it: the name becomes plain at its owner. Elsewhere nothing new is made of it:
/// that would be newer than what its owner has by now. One of the other holders takes the owner's
/// bytes.
Task<Status> LocalTarget::settle_published(Context context,
                                           store::Key key,
                                           store::Reference content) {
  CO_TRY(const auto there, reference_of(key));
  if (!there || *there != content) co_return Status{};
  CO_TRY(std::string owner, owner_of(key.name));
  if (owner == options_.node_id) {
    CO_CHECK_OK(co_await bring_home(context, key, Handover::Need::kChange));
    CO_CHECK_OK(co_await materialise(std::move(context), key));
    CO_TRY(const auto now, reference_of(key));
    if (now && *now == content) {  // its attributes were changed meanwhile
      co_return Error(Errc::not_ready, key.display() + " is not plain yet");
    }
    co_return Status{};
  }
  const MapSnapshot map = maps_.current();
  const Bucket* bucket = map->find_bucket(key.bucket);
  if (bucket == nullptr) co_return Status{};
  const auto holders = placement::holders_of(*map, key.name, bucket->props.copies);
  const bool holds = std::ranges::any_of(
      holders, [this](const NodeInfo* holder) { return holder->id == options_.node_id; });
  if (!holds) {
    co_return Error(Errc::not_ready, key.display() + " is on its way to target " + owner);
  }
  CO_TRY(const auto states, store_.states_of(key));
  const auto own = std::ranges::find(states, key.key(), &store::NameState::key);
  if (own == states.end()) co_return Status{};
  CO_TRY(store::ObjectCopy copy,
         co_await peers_.fetch_copy(context, std::move(owner), key.name.bucket, *own));
  if (copy.meta.reference) co_return Error(Errc::not_ready, key.display() + ": in another form");
  PutOptions options{.level = copy.meta.level, .size = copy.meta.info.size};
  const auto upload = store_.begin_put(key, std::move(options));
  CO_CHECK_OK(co_await upload->write_from(*copy.body));
  CO_CHECK_OK(co_await upload->prepare());
  // A crash between the two leaves one copy too few, which a scrub finds.
  CO_CHECK_OK(co_await store_.forget(key, own->meta_version));
  CO_TRY([[maybe_unused]] const bool taken, co_await upload->adopt(std::move(copy.meta)));
  co_return co_await drop_referenced(std::move(context), std::move(key), std::move(content));
}

}  // namespace aisfs::target
