// SPDX-License-Identifier: MIT
#include "tests/kit/fake_cluster.h"

#include <boost/asio/steady_timer.hpp>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::tests {
namespace {

constexpr std::size_t kBodyMax = 4_GiB;

/// A shared string as a body: a pinned version is served without a copy.
class SharedSource final : public BodySource {
 public:
  SharedSource(std::shared_ptr<const std::string> data, ByteRange range)
      : data_(std::move(data)), at_(range.offset), end_(range.offset + range.length) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t n = std::min<std::size_t>(into.size(), end_ - at_);
    std::memcpy(into.data(), data_->data() + at_, n);
    at_ += n;
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return end_ - at_; }

 private:
  std::shared_ptr<const std::string> data_;
  std::uint64_t at_, end_;
};

Status check_body(const ExpectedChecksums& expected, const std::string& body) {
  if (!expected.md5) return {};
  Digest digest(Digest::Kind::kMd5);
  digest.update(as_bytes(body));
  if (digest.finish() == *expected.md5) return {};
  return Error(Errc::bad_checksum, "the body does not have the MD5 that was announced");
}

}  // namespace

// --- for tests -----------------------------------------------------------------------------------

Bucket FakeCluster::add_bucket(std::string name) {
  auto bucket = store_.create_bucket(native_bucket(std::move(name)), {}, "test");
  AISFS_ASSERT(bucket.ok());
  return *std::move(bucket);
}

ObjectInfo FakeCluster::store(std::string bucket, std::string key, std::string bytes) {
  const ObjectName name{native_bucket(std::move(bucket)), std::move(key)};
  auto info = store_.put(name, {}, std::move(bytes));
  AISFS_ASSERT(info.ok());
  return *std::move(info);
}

std::optional<std::string> FakeCluster::bytes_of(std::string bucket, std::string key) const {
  std::string out;
  if (!store_.contents({native_bucket(std::move(bucket)), std::move(key)}, out)) return std::nullopt;
  return out;
}

std::optional<ObjectInfo> FakeCluster::info_of(std::string bucket, std::string key) const {
  auto info = store_.head({native_bucket(std::move(bucket)), std::move(key)}, {});
  if (!info) return std::nullopt;
  return *std::move(info);
}

void FakeCluster::on_call(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::uint64_t FakeCluster::calls(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [name, count] : calls_) {
    if (operation.empty() || name == operation) sum += count;
  }
  return sum;
}

std::map<std::string, std::uint64_t> FakeCluster::all_calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void FakeCluster::reset_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

void FakeCluster::lose_answer(std::string operation) {
  const std::lock_guard lock(mutex_);
  lost_ = std::move(operation);
}

void FakeCluster::hold(std::string operation) {
  {
    const std::lock_guard lock(mutex_);
    held_ = std::move(operation);
  }
  let_go_.notify();
}

bool FakeCluster::is_held(const std::string& operation) const {
  const std::lock_guard lock(mutex_);
  return held_ == operation;
}

Task<Status> FakeCluster::enter(std::string operation, std::string key, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    ++calls_[operation];
  }
  co_return co_await pass(std::move(operation), std::move(key), deadline);
}

Task<Status> FakeCluster::pass(std::string operation, std::string key, Deadline deadline) {
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    hook = hook_;
  }
  if (hook) CO_CHECK_OK(hook(operation, key));
  bool was_held = false;
  for (auto seen = let_go_.count(); is_held(operation) && !deadline.expired();
       seen = let_go_.count()) {
    was_held = true;
    co_await let_go_.wait(seen, deadline);
  }
  if (hook && was_held) CO_CHECK_OK(hook(operation, key));
  if (deadline.expired()) co_return Error(Errc::timed_out, operation);
  const Duration latency(latency_ns_.load());
  if (latency == Duration::zero()) co_return Status();
  asio::steady_timer timer(co_await asio::this_coro::executor,
                           std::chrono::steady_clock::now() + std::min(latency, deadline.left()));
  const auto [error] = co_await timer.async_wait(use_ec);
  if (error) co_return Error(Errc::cancelled, operation);
  if (deadline.expired()) co_return Error(Errc::timed_out, operation);
  co_return Status();
}

// --- MapSource -----------------------------------------------------------------------------------

Task<Result<MapSnapshot>> FakeCluster::at_least(Epoch epoch, Deadline) {
  MapSnapshot map = store_.map();
  if (map->epoch < epoch) co_return Error(Errc::unreachable, "no node has that epoch");
  co_return map;
}

// --- ObjectApi -----------------------------------------------------------------------------------

Task<Result<ObjectInfo>> FakeCluster::head(Context c, ObjectName name, Conditions conditions) {
  CO_CHECK_OK(co_await enter("head", name.key, c.deadline));
  co_return store_.head(name, conditions);
}

Task<Result<ObjectStream>> FakeCluster::get(Context c, ObjectName name, GetOptions options) {
  CO_CHECK_OK(co_await enter("get", name.key, c.deadline));
  CO_TRY(FakeStore::Content content, store_.get(name, options));
  const bool past_end = options.range.offset >= content.info.size && options.range.offset > 0;
  if (past_end) co_return Error(Errc::out_of_range, name.display() + ": range past the end");
  ObjectStream stream{.info = content.info, .range = options.range.within(content.info.size)};
  stream.body = std::make_unique<SharedSource>(content.data, stream.range);
  co_return stream;
}

std::optional<HotRead> FakeCluster::hot(const Context&, const ObjectName& name) {
  struct Kept {
    explicit Kept(FakeStore::Content content)
        : info(std::move(content.info)), object{info, *content.data} {}
    const ObjectInfo info;
    const HotObject object;
  };
  if (!keeps_hot_) return std::nullopt;
  auto content = store_.get(name, {});
  if (!content) return std::nullopt;
  const auto kept = std::make_shared<const Kept>(*std::move(content));
  return HotRead{.object = {kept, &kept->object}, .body = nullptr};
}

Task<Result<ObjectInfo>> FakeCluster::put(Context c,
                                          ObjectName name,
                                          PutOptions options,
                                          ExpectedChecksums expected,
                                          BodySource& body) {
  CO_CHECK_OK(co_await enter("put", name.key, c.deadline));
  CO_TRY(std::string bytes, co_await read_all(body, kBodyMax));
  if (c.sent) c.sent();
  CO_CHECK_OK(co_await pass("put_end", name.key, c.deadline));
  CO_CHECK_OK(check_body(expected, bytes));
  co_return answer("put", store_.put(name, options, std::move(bytes)));
}

Task<Result<ObjectInfo>> FakeCluster::set_attrs(Context c,
                                                ObjectName name,
                                                AttrChange change,
                                                Conditions conditions) {
  CO_CHECK_OK(co_await enter("set_attrs", name.key, c.deadline));
  co_return answer("set_attrs", store_.set_attrs(name, change, conditions));
}

Task<Status> FakeCluster::remove(Context c, ObjectName name, RemoveOptions options) {
  CO_CHECK_OK(co_await enter("remove", name.key, c.deadline));
  co_return answer("remove", store_.remove(name, options));
}

Task<Result<ObjectInfo>> FakeCluster::rename(Context c,
                                             ObjectName from,
                                             ObjectName to,
                                             RenameOptions options) {
  CO_CHECK_OK(co_await enter("rename", from.key, c.deadline));
  co_return answer("rename", store_.rename(from, to, options));
}

Task<Result<ObjectInfo>> FakeCluster::copy(Context c,
                                           ObjectName from,
                                           ObjectName to,
                                           CopyOptions options) {
  CO_CHECK_OK(co_await enter("copy", from.key, c.deadline));
  co_return store_.copy(from, to, options);
}

Task<Result<ObjectInfo>> FakeCluster::patch(Context c,
                                            ObjectName name,
                                            PatchOptions options,
                                            BodySource& body) {
  CO_CHECK_OK(co_await enter("patch", name.key, c.deadline));
  CO_TRY(std::string bytes, co_await read_all(body, kBodyMax));
  co_return answer("patch", store_.patch(name, options, std::move(bytes)));
}

Task<Result<ListPage>> FakeCluster::list(Context c, BucketName bucket, ListOptions options) {
  CO_CHECK_OK(co_await enter("list", "", c.deadline));
  co_return store_.list(bucket, options);
}

Task<Result<LookupReply>> FakeCluster::lookup(Context c, BucketName bucket, std::string path) {
  CO_CHECK_OK(co_await enter("lookup", path, c.deadline));
  co_return store_.lookup(bucket, path);
}

Task<Result<ObjectInfo>> FakeCluster::make_dir(Context c,
                                               BucketName bucket,
                                               std::string path,
                                               MakeDirOptions options) {
  if (c.sent) c.sent();
  CO_CHECK_OK(co_await enter("make_dir", path, c.deadline));
  co_return answer("make_dir", store_.make_dir(bucket, path, options));
}

Task<Status> FakeCluster::remove_dir(Context c, BucketName bucket, std::string path) {
  CO_CHECK_OK(co_await enter("remove_dir", path, c.deadline));
  co_return answer("remove_dir", store_.remove_dir(bucket, path));
}

Task<Status> FakeCluster::rename_dir(
    Context c, BucketName bucket, std::string from, std::string to, bool no_replace) {
  CO_CHECK_OK(co_await enter("rename_dir", from, c.deadline));
  co_return answer("rename_dir", store_.rename_dir(bucket, from, to, no_replace));
}

Task<Result<Capacity>> FakeCluster::capacity(Context c) {
  CO_CHECK_OK(co_await enter("capacity", "", c.deadline));
  co_return store_.capacity();
}

Task<Status> FakeCluster::sync(Context c, ObjectName name) {
  co_return co_await enter("sync", name.key, c.deadline);
}

Task<Result<std::string>> FakeCluster::create_upload(Context c, ObjectName name, PutOptions options) {
  CO_CHECK_OK(co_await enter("create_upload", name.key, c.deadline));
  co_return store_.create_upload(name, options);
}

Task<Result<UploadPart>> FakeCluster::put_part(Context c,
                                               ObjectName name,
                                               std::string upload,
                                               std::uint32_t number,
                                               ExpectedChecksums expected,
                                               BodySource& body) {
  CO_CHECK_OK(co_await enter("put_part", name.key, c.deadline));
  CO_TRY(std::string bytes, co_await read_all(body, kBodyMax));
  CO_CHECK_OK(check_body(expected, bytes));
  co_return store_.put_part(name, upload, number, std::move(bytes));
}

Task<Result<ObjectInfo>> FakeCluster::complete_upload(Context c,
                                                      ObjectName name,
                                                      std::string upload,
                                                      std::vector<CompletedPart> parts,
                                                      Conditions conditions) {
  CO_CHECK_OK(co_await enter("complete_upload", name.key, c.deadline));
  co_return store_.complete_upload(name, upload, parts, conditions);
}

Task<Status> FakeCluster::abort_upload(Context c, ObjectName name, std::string upload) {
  CO_CHECK_OK(co_await enter("abort_upload", name.key, c.deadline));
  co_return store_.abort_upload(name, upload);
}

Task<Result<PartList>> FakeCluster::list_parts(
    Context c, ObjectName name, std::string upload, std::uint32_t after, std::uint32_t limit) {
  CO_CHECK_OK(co_await enter("list_parts", name.key, c.deadline));
  co_return store_.list_parts(name, upload, after, limit);
}

Task<Result<UploadList>> FakeCluster::list_uploads(Context c,
                                                   BucketName bucket,
                                                   std::string prefix,
                                                   std::string after_key,
                                                   std::string after_id,
                                                   std::uint32_t limit) {
  CO_CHECK_OK(co_await enter("list_uploads", "", c.deadline));
  co_return store_.list_uploads(bucket, prefix, after_key, after_id, limit);
}

// --- AdminApi ------------------------------------------------------------------------------------

Task<Result<std::vector<Bucket>>> FakeCluster::list_buckets(Context c) {
  CO_CHECK_OK(co_await enter("list_buckets", "", c.deadline));
  const MapSnapshot map = store_.map();
  std::vector<Bucket> buckets;
  for (const auto& [uname, bucket] : map->buckets) buckets.push_back(bucket);
  co_return buckets;
}

Task<Result<Bucket>> FakeCluster::find_bucket(Context c, BucketName name) {
  CO_CHECK_OK(co_await enter("find_bucket", "", c.deadline));
  const MapSnapshot map = store_.map();
  const Bucket* bucket = map->find_bucket(name);
  if (bucket == nullptr) {
    co_return Error(Errc::not_found, "bucket \"" + name.display() + "\" does not exist");
  }
  co_return *bucket;
}

Task<Result<Bucket>> FakeCluster::create_bucket(Context c, BucketName name, BucketProps props) {
  CO_CHECK_OK(co_await enter("create_bucket", "", c.deadline));
  if (props.copies == BucketProps::kAutoCopies) props.copies = 1;  // its targets have one host
  co_return store_.create_bucket(name, std::move(props), c.who.user());
}

Task<Status> FakeCluster::destroy_bucket(Context c, BucketName name, bool force) {
  CO_CHECK_OK(co_await enter("destroy_bucket", "", c.deadline));
  co_return store_.destroy_bucket(name, force);
}

Task<Result<Bucket>> FakeCluster::set_bucket_props(Context c, BucketName name, BucketProps props) {
  CO_CHECK_OK(co_await enter("set_bucket_props", "", c.deadline));
  co_return store_.set_bucket_props(name, props);
}

Task<Result<UserInfo>> FakeCluster::create_user(Context c, CreateUser user) {
  CO_CHECK_OK(co_await enter("create_user", "", c.deadline));
  const std::lock_guard lock(mutex_);
  if (users_.contains(user.id)) co_return Error(Errc::already_exists, "user " + user.id + " exists");
  const bool given = !user.access_key.empty();
  UserInfo info{.id = user.id, .display_name = user.display_name, .admin = user.admin};
  info.access_keys = {given ? user.access_key : "AK" + user.id};
  users_[user.id] = info;
  info.new_access_key = info.access_keys.front();
  info.new_secret_key = given ? user.secret_key : "secret-of-" + user.id;
  co_return info;
}

Task<Result<std::vector<UserInfo>>> FakeCluster::list_users(Context c) {
  CO_CHECK_OK(co_await enter("list_users", "", c.deadline));
  const std::lock_guard lock(mutex_);
  std::vector<UserInfo> out;
  for (const auto& [id, user] : users_) out.push_back(user);
  co_return out;
}

Task<Status> FakeCluster::remove_user(Context c, std::string id) {
  CO_CHECK_OK(co_await enter("remove_user", "", c.deadline));
  const std::lock_guard lock(mutex_);
  if (users_.erase(id) == 0) co_return Error(Errc::not_found, "user " + id + " does not exist");
  co_return Status();
}

Task<Result<std::string>> FakeCluster::create_token(Context c, Duration) {
  CO_CHECK_OK(co_await enter("create_token", "", c.deadline));
  co_return std::string("token-of-") + c.who.user();
}

}  // namespace aisfs::tests
