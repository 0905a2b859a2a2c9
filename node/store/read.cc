// SPDX-License-Identifier: MIT
// Store: what reads one object.
#include "node/store/conditions.h"
#include "node/store/engine.h"
#include "node/store/file_body.h"

namespace aisfs::store {
namespace {

Error no_such_object(const Key& key) {
  return Error(Errc::not_found, "object \"" + key.display() + "\" does not exist");
}

/// The body; a small object that is not verified yet is read and compared here, in one hop.
Task<Result<ObjectStream>> stream_of(Engine& engine,
                                     std::shared_ptr<OpenFile> file,
                                     ObjectInfo info,
                                     ByteRange wanted,
                                     VerifyRead verify) {
  const ByteRange range = wanted.within(file->meta.info.size);
  auto& pool = file->mountpath->pool();  // the body keeps the file
  const bool one_block = file->meta.info.size <= kHashBlockBytes;
  auto body = std::make_unique<FileBody>(engine, std::move(file), range, verify);
  if (one_block && range.length > 0 && body->file() == nullptr) {
    auto load = [&body] { return body->load_first(); };
    CO_CHECK_OK(co_await pool.run(std::move(load)));
  }
  ObjectStream stream{std::move(info), range, std::move(body)};
  co_return stream;
}

/// The version of a pin, whether it is still the object's or not.
Task<Result<ObjectStream>> open_version(Engine& engine,
                                        Key key,
                                        Version version,
                                        ByteRange range,
                                        VerifyRead verify) {
  const auto file = engine.files.find(version);
  if (!file || file->meta.bucket != key.bucket) {
    co_return Error(Errc::precondition_failed,
                    "version " + version.to_string() + " of \"" + key.display() + "\" is gone");
  }
  co_return co_await stream_of(engine, file, file->meta.info, range, verify);
}

Error file_is_gone(const Key& key) {
  return Error(Errc::corrupt, "the file of \"" + key.display() + "\" is gone");
}

/// The record with all that its file says. One that is replaced in between is waited for.
Task<Result<std::optional<IndexRecord>>> find_settled(Engine& engine, Key key) {
  auto record = co_await engine.find_whole(key);
  if (record || record.error() != Errc::not_found) co_return record;
  const auto guard = co_await engine.lock_in_place(key);
  record = co_await engine.find_whole(key);
  if (!record && record.error() == Errc::not_found) co_return file_is_gone(key);
  co_return record;
}

/// The record and its file, of the same version. A publish between the two looks is waited for.
Task<Result<std::shared_ptr<OpenFile>>> open_current(Engine& engine,
                                                     Key key,
                                                     std::optional<IndexRecord>& record) {
  auto file = co_await engine.open_file(key, *record);
  if (file) co_return file;
  // A file that was replaced in between may hold anything.
  const Errc code = file.error().code();
  if (code != Errc::stale_map && code != Errc::not_found && code != Errc::corrupt) co_return file;
  const auto guard = co_await engine.lock_in_place(key);
  CO_TRY(record, engine.find(key));
  if (!record) co_return no_such_object(key);
  auto settled = co_await engine.open_file(key, *record);
  if (!settled && settled.error().code() == Errc::not_found) co_return file_is_gone(key);
  // With the lock nobody replaces it: the disk has another file there.
  const bool other = !settled && settled.error().code() == Errc::stale_map;
  if (other && record->kind == IndexRecord::Kind::kObject) {
    co_return Error(Errc::corrupt, "the file of \"" + key.display() + "\" is another version's");
  }
  co_return settled;
}

}  // namespace

Task<Result<ObjectInfo>> Store::head(Key key, Conditions conditions) {
  auto record = engine_->find(key);
  if (record && *record && !(*record)->complete) record = co_await find_settled(*engine_, key);
  if (!record) co_return std::move(record).error();
  if (!*record) co_return no_such_object(key);
  CO_CHECK_OK(check_conditions(conditions, &(*record)->info, Access::kRead));
  co_return std::move((*record)->info);
}

Task<Result<ObjectStream>> Store::open_object(Key key, GetOptions options, VerifyRead verify) {
  CO_TRY(auto record, engine_->find(key));
  if (options.version && (!record || record->info.content_version != *options.version)) {
    auto pinned = co_await open_version(*engine_, key, *options.version, options.range, verify);
    // The object of another place, perhaps: whoever asks here first has to ask there, too.
    if (!pinned && !record) co_return no_such_object(key);
    co_return pinned;
  }
  if (!record) co_return no_such_object(key);
  CO_CHECK_OK(check_conditions(options.conditions, &record->info, Access::kRead));
  CO_TRY(auto file, co_await open_current(*engine_, key, record));
  if (!record->complete) {
    CO_TRY(auto whole, co_await engine_->find_whole(key));
    if (whole && whole->info.content_version == record->info.content_version) record = whole;
  }
  co_return co_await stream_of(*engine_, std::move(file), std::move(record->info), options.range,
                               verify);
}

std::optional<ObjectStream> Store::open_now(const Key& key,
                                            const GetOptions& options,
                                            VerifyRead verify) {
  auto file = engine_->open_of(key);
  if (!file) return std::nullopt;
  const ObjectInfo& info = file->meta.info;
  if (options.version && *options.version != info.content_version) return std::nullopt;
  if (!check_conditions(options.conditions, &info, Access::kRead)) return std::nullopt;
  const ByteRange range = options.range.within(info.size);
  ObjectStream stream{info, range, nullptr};
  auto body = std::make_unique<FileBody>(*engine_, std::move(file), range, verify);
  if (body->file() == nullptr) return std::nullopt;
  stream.body = std::move(body);
  return stream;
}

std::optional<HotRead> Store::hot(const Key& key, VerifyRead verify) {
  auto file = engine_->open_of(key);
  if (!file || !file->is_trusted(verify)) return std::nullopt;
  const HotObject* object = file->hot();
  if (object == nullptr) return std::nullopt;
  HotRead hot;
  if (object->info.size > object->content.size()) {
    hot.body = std::make_unique<FileBody>(*engine_, file, ByteRange{0, object->info.size}, verify);
  }
  hot.object = {std::move(file), object};
  return hot;
}

Task<Result<ObjectStream>> Store::open_content(BucketId bucket,
                                               BucketName name,
                                               Reference content,
                                               ByteRange range,
                                               VerifyRead verify) {
  const Key home = make_key(bucket, {name, content.key});
  IndexRecord record{.kind = IndexRecord::Kind::kReference, .reference = content};
  record.info.content_version = content.content_version;
  CO_TRY(auto file, co_await engine_->open_file(home, std::move(record)));
  ObjectInfo info = file->meta.info;
  co_return co_await stream_of(*engine_, std::move(file), std::move(info), range, verify);
}

}  // namespace aisfs::store
