// SPDX-License-Identifier: MIT
#include "node/store/index.h"

#include <filesystem>

#include "common/disk/atomic_file.h"
#include "common/disk/posix.h"
#include "common/wire/envelope.h"
#include "node/store/index_impl.h"

namespace aisfs::store {
namespace {

constexpr const char* kStateFile = "state";
constexpr const char* kTablesDir = "tables";

template <class T>
std::string_view raw_of(const T& value) {
  return as_text(std::as_bytes(std::span(&value, 1)));
}
template <class T>
T from_raw(std::optional<std::string_view> bytes) {
  T value{};
  if (bytes && bytes->size() == sizeof value) std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

bool believable(const IndexState& state, const disk::MountIdentity& mount) {
  return state.format == IndexState::kFormat && state.built &&
         (state.clean || state.mount == mount);
}

std::shared_ptr<const std::string> shared_encoding(const IndexRecord& record) {
  return std::make_shared<const std::string>(encode_index_record(record));
}

}  // namespace

// --- life ---------------------------------------------------------------------------------------

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(IndexOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  CHECK_OK(impl->open());
  return std::unique_ptr<Index>(new Index(std::move(impl)));
}

Index::Impl::~Impl() { stop(); }

Status Index::Impl::open() {
  std::error_code ec;
  std::filesystem::create_directories(options_.path, ec);
  if (ec) return errno_error("mkdir " + options_.path, ec.value());
  TRY(root_, disk::open_root(options_.path));
  const auto bytes = disk::read_file(root_.get(), kStateFile, 4096);
  const auto state = bytes ? wire::decode<IndexState>(*bytes) : Result<IndexState>(Errc::corrupt);
  fresh_ = !options_.believe || !state || !believable(*state, options_.mount);
  was_clean_ = !fresh_ && state->clean;
  // Synced before the first write: from here on only this mount of this boot can believe it.
  CHECK_OK(write_state(!fresh_, false));
  const std::string tables = options_.path + "/" + kTablesDir;
  if (fresh_) std::filesystem::remove_all(tables, ec);
  TRY(env_, lmdb::Env::open({.path = tables, .sync = lmdb::Sync::kNone}));
  TRY(const auto names, env_->table("names"));
  TRY(const auto tombstones, env_->table("tombstones"));
  names_ = NameTree(names);
  tombstones_ = NameTree(tombstones);
  TRY(counters_table_, env_->table("counters"));
  TRY(meta_table_, env_->table("meta"));
  CHECK_OK(load_meta());
  writer_ = std::thread([this] { run(); });
  return {};
}

Status Index::Impl::write_state(bool built, bool clean) {
  const IndexState state{.mount = options_.mount, .built = built, .clean = clean};
  return disk::write_file_atomically(root_.get(), kStateFile, wire::encode(state), 0600);
}

Status Index::Impl::load_meta() {
  TRY(const auto txn, env_->read());
  TRY(const auto checkpoint, meta_table_.get(txn, "checkpoint"));
  TRY(const auto nodes, meta_table_.get(txn, "nodes"));
  checkpoint_ = from_raw<Lsn>(checkpoint);
  if (nodes) node_ids_.next = from_raw<std::uint64_t>(nodes);
  TRY(auto cursor, lmdb::Cursor::open(txn, counters_table_));
  TRY(bool found, cursor.first());
  while (found) {
    counters_[from_raw<std::uint64_t>(cursor.key())] = from_raw<BucketCounters>(cursor.value());
    TRY(found, cursor.next());
  }
  return {};
}

Status Index::Impl::save_meta(lmdb::WriteTxn& txn) {
  CHECK_OK(meta_table_.put(txn, "checkpoint", raw_of(batch_checkpoint_)));
  CHECK_OK(meta_table_.put(txn, "nodes", raw_of(batch_ids_.next)));
  for (const auto& [bucket, counts] : batch_counters_) {
    CHECK_OK(counters_table_.put(txn, raw_of(bucket), raw_of(counts)));
  }
  return {};
}

bool Index::fresh() const { return impl_->fresh_; }
bool Index::was_clean() const { return impl_->was_clean_; }

Status Index::set_built() {
  CHECK_OK(flush());
  return impl_->write_state(true, false);
}

Status Index::close_clean() {
  CHECK_OK(flush());
  impl_->stop();
  CHECK_OK(impl_->env_->sync());
  return impl_->write_state(true, true);
}

void Index::close() {
  impl_->stop();
  impl_->env_->close();
  impl_->root_.reset();
}

// --- updates ------------------------------------------------------------------------------------

void Index::put(BucketId bucket, std::string_view key, IndexRecord record) {
  impl_->enqueue(
      {.bucket = bucket, .key = std::string(key), .record = shared_encoding(record)});
}

void Index::put_if_newer(BucketId bucket, std::string_view key, IndexRecord record) {
  const auto there = get(bucket, key);
  if (there && *there && (*there)->info.meta_version > record.info.meta_version) return;
  put(bucket, key, std::move(record));
}

void Index::erase(BucketId bucket, std::string_view key) {
  impl_->enqueue({.bucket = bucket, .key = std::string(key)});
}

void Index::erase_bucket(BucketId bucket) {
  impl_->enqueue({.kind = Impl::Update::Kind::kEraseBucket, .bucket = bucket});
}

void Index::advance_checkpoint(Lsn lsn) {
  impl_->enqueue({.kind = Impl::Update::Kind::kCheckpoint, .lsn = lsn});
}

Status Index::flush() { return impl_->flush(); }
Status Index::health() const {
  CHECK_OK(impl_->env_->health());
  return impl_->health();
}

// --- reading ------------------------------------------------------------------------------------

Lsn Index::checkpoint() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->checkpoint_;
}

BucketCounters Index::counters(BucketId bucket) const {
  const std::lock_guard lock(impl_->mutex_);
  const auto it = impl_->counters_.find(bucket.value);
  return it == impl_->counters_.end() ? BucketCounters{} : it->second;
}

BucketCounters Index::counters() const {
  const std::lock_guard lock(impl_->mutex_);
  BucketCounters sum;
  for (const auto& [bucket, counts] : impl_->counters_) {
    sum.objects += counts.objects;
    sum.bytes += counts.bytes;
  }
  return sum;
}

template <class See>
Status Index::Impl::look(BucketId bucket, std::string_view key, See see) const {
  std::shared_ptr<const std::string> queued;
  {
    const std::shared_lock lock(overlay_mutex_);
    if (const auto* entry = overlay_.find(bucket, key)) {
      if (!entry->record) return {};
      queued = entry->record;
    }
  }
  if (queued) return see(std::string_view(*queued));
  // After the overlay: what has left it meanwhile is in this snapshot.
  TRY(const auto txn, env_->read());
  TRY(auto bytes, names_.get(txn, bucket, key));
  if (!bytes) {
    TRY(bytes, tombstones_.get(txn, bucket, key));
  }
  Status seen = bytes ? see(*bytes) : Status();
  CHECK_OK(env_->health());
  return seen;
}

Result<std::optional<IndexRecord>> Index::get(BucketId bucket, std::string_view key) const {
  std::optional<IndexRecord> record;
  const auto decode = [&record](std::string_view bytes) -> Status {
    TRY(record, decode_index_record(bytes));
    return {};
  };
  CHECK_OK(impl_->look(bucket, key, decode));
  return record;
}

Result<std::optional<IndexPeek>> Index::peek(BucketId bucket, std::string_view key) const {
  std::optional<IndexPeek> front;
  const auto decode = [&front](std::string_view bytes) -> Status {
    TRY(front, peek_index_record(bytes));
    return {};
  };
  CHECK_OK(impl_->look(bucket, key, decode));
  return front;
}

Result<ScanPage> Index::scan(BucketId bucket, const ScanOptions& options) const {
  return impl_->scan(bucket, options);
}

Result<bool> Index::any_below(BucketId bucket, std::string_view prefix) const {
  const ScanOptions options{.prefix = std::string(prefix), .limit = 1};
  TRY(const ScanPage page, impl_->scan(bucket, options));
  return !page.entries.empty();
}

}  // namespace aisfs::store
