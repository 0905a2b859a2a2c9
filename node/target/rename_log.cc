// SPDX-License-Identifier: MIT
#include "node/target/rename_log.h"

#include <algorithm>
#include <filesystem>

#include "common/disk/posix.h"

namespace aisfs::target {
namespace {

using store::LogType;

// Small: what is over goes soon, and a start reads all of it.
constexpr std::uint64_t kSegmentBytes = 1 << 20;

bool is_open(const RenameLog::Intent& intent) {
  return intent.state == RenameLog::Intent::State::kPrepared ||
         intent.state == RenameLog::Intent::State::kCommitted;
}

}  // namespace

Result<std::unique_ptr<RenameLog>> RenameLog::open(const std::string& dir) {
  std::error_code ec;
  std::filesystem::create_directories(dir, ec);
  if (ec) return errno_error("mkdir " + dir, ec.value());
  auto log = std::make_unique<RenameLog>();
  TRY(log->root_, disk::open_root(dir));
  TRY(log->log_, store::Log::open(
                     {.root = log->root_.get(), .dir = "renames", .segment_bytes = kSegmentBytes}));
  CHECK_OK(log->replay());
  return log;
}

Status RenameLog::replay() {
  const auto take_one = [this](const store::LogRecord& record) { return take(record); };
  CHECK_OK(log_->replay(0, take_one));
  for (const std::string& op_id : open_intents()) {
    // Not decided before the restart, and nobody is left to decide it: given up.
    Intent intent = *this->intent(op_id);
    if (intent.state != Intent::State::kPrepared) continue;
    intent.state = Intent::State::kAborted;
    CHECK_OK(write(intent));
    given_up_.push_back(std::move(intent));
  }
  const auto keep = [this](const store::LogRecord& record) { return live(record); };
  return log_->compact(log_->end(), keep);
}

Status RenameLog::take(const store::LogRecord& record) {
  switch (record.type) {
    case LogType::kRenameIntent: {
      TRY(const auto intent, wire::decode<Intent>(record.payload));
      remember(intent);
      return {};
    }
    case LogType::kRenamePrepared: {
      TRY(const auto stored, wire::decode<PreparedRecord>(record.payload));
      TRY(auto rename, wire::decode<RenamePrepare>(stored.prepare));
      remember(Prepared{std::move(rename), stored.state, stored.version});
      return {};
    }
    default:
      return {};
  }
}

/// True for the record that is the newest of a rename which is not over.
bool RenameLog::live(const store::LogRecord& record) const {
  if (record.type == LogType::kRenameIntent) {
    const auto intent = wire::decode<Intent>(record.payload);
    const auto now = intent ? this->intent(intent->op_id) : std::nullopt;
    return now && now->state == intent->state;
  }
  if (record.type == LogType::kRenamePrepared) {
    const auto stored = wire::decode<PreparedRecord>(record.payload);
    const auto rename = stored ? wire::decode<RenamePrepare>(stored->prepare)
                               : Result<RenamePrepare>(Errc::corrupt);
    const auto now = rename ? prepared(rename->op_id) : std::nullopt;
    return now && now->state == stored->state;
  }
  return false;
}

void RenameLog::remember(const Intent& intent) {
  const std::lock_guard lock(mutex_);
  const Name source(intent.bucket.value, intent.source);
  if (const auto it = sources_.find(source); it != sources_.end() && it->second == intent.op_id) {
    sources_.erase(it);
  }
  if (!is_open(intent)) {
    intents_.erase(intent.op_id);
    return;
  }
  intents_[intent.op_id] = intent;
  if (intent.state == Intent::State::kCommitted) sources_[source] = intent.op_id;
}

void RenameLog::remember(const Prepared& p) {
  const std::lock_guard lock(mutex_);
  const Name to(p.rename.bucket_id.value, p.rename.destination);
  if (const auto it = destinations_.find(to);
      it != destinations_.end() && it->second == p.rename.op_id) {
    destinations_.erase(it);
  }
  if (p.state == PreparedRecord::State::kDone) {
    prepared_.erase(p.rename.op_id);
    return;
  }
  if (p.state == PreparedRecord::State::kPrepared) destinations_[to] = p.rename.op_id;
  prepared_.insert_or_assign(p.rename.op_id, p);
}

Status RenameLog::append(LogType type, const std::string& payload, bool synced) {
  const store::Lsn end = log_->append(type, payload);
  return synced ? log_->sync(end) : log_->flush(end);
}

Status RenameLog::write(Intent intent) {
  CHECK_OK(append(LogType::kRenameIntent, wire::encode(intent), is_open(intent)));
  remember(intent);
  return {};
}

Status RenameLog::write(Prepared prepared) {
  const PreparedRecord record{prepared.state, wire::encode(prepared.rename), prepared.version};
  const bool synced = prepared.state == PreparedRecord::State::kPrepared;
  CHECK_OK(append(LogType::kRenamePrepared, wire::encode(record), synced));
  remember(prepared);
  return {};
}

std::optional<RenameLog::Intent> RenameLog::intent(const std::string& op_id) const {
  const std::lock_guard lock(mutex_);
  const auto it = intents_.find(op_id);
  return it == intents_.end() ? std::nullopt : std::optional(it->second);
}

RenameState RenameLog::state_of(const std::string& op_id) const {
  const auto found = intent(op_id);
  if (!found) return RenameState::kUnknown;
  return found->state == Intent::State::kCommitted ? RenameState::kCommitted
                                                   : RenameState::kPrepared;
}

std::optional<RenameLog::Intent> RenameLog::committed_from(BucketId bucket,
                                                           const std::string& source) const {
  const std::lock_guard lock(mutex_);
  if (sources_.empty()) return std::nullopt;
  const auto it = sources_.find({bucket.value, source});
  return it == sources_.end() ? std::nullopt : std::optional(intents_.at(it->second));
}

bool RenameLog::concerns(BucketId bucket, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (destinations_.empty() && sources_.empty()) return false;
  const Name key(bucket.value, name);
  return destinations_.contains(key) || sources_.contains(key);
}

std::optional<RenameLog::Prepared> RenameLog::prepared(const std::string& op_id) const {
  const std::lock_guard lock(mutex_);
  const auto it = prepared_.find(op_id);
  return it == prepared_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<RenameLog::Prepared> RenameLog::prepared_to(BucketId bucket,
                                                          const std::string& to) const {
  const std::lock_guard lock(mutex_);
  if (destinations_.empty()) return std::nullopt;
  const auto it = destinations_.find({bucket.value, to});
  if (it == destinations_.end()) return std::nullopt;
  const auto prepared = prepared_.find(it->second);
  return prepared == prepared_.end() ? std::nullopt : std::optional(prepared->second);
}

bool RenameLog::reserve(BucketId bucket, const std::string& to, const std::string& op_id) {
  const std::lock_guard lock(mutex_);
  return destinations_.emplace(Name(bucket.value, to), op_id).first->second == op_id;
}
void RenameLog::release(BucketId bucket, const std::string& to, const std::string& op_id) {
  const std::lock_guard lock(mutex_);
  const auto it = destinations_.find({bucket.value, to});
  if (it != destinations_.end() && it->second == op_id) destinations_.erase(it);
}
bool RenameLog::reserved(BucketId bucket, const std::string& to) const {
  const std::lock_guard lock(mutex_);
  return !destinations_.empty() && destinations_.contains({bucket.value, to});
}

std::vector<std::string> RenameLog::destinations_below(BucketId bucket,
                                                       const std::string& prefix) const {
  std::vector<std::string> names;
  const std::lock_guard lock(mutex_);
  for (auto it = destinations_.lower_bound({bucket.value, prefix});
       it != destinations_.end() && it->first.first == bucket.value &&
       it->first.second.starts_with(prefix);
       ++it) {
    names.push_back(it->first.second);
  }
  return names;
}

bool RenameLog::touches(BucketId bucket, const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  const auto any = [&](const std::map<Name, std::string>& names) {
    const auto it = names.lower_bound({bucket.value, prefix});
    return it != names.end() && it->first.first == bucket.value &&
           it->first.second.starts_with(prefix);
  };
  return any(sources_) || any(destinations_);
}

bool RenameLog::begin_dir(BucketId bucket, const std::string& path) {
  const std::lock_guard lock(mutex_);
  return dirs_taken_.emplace(bucket.value, path).second;
}
bool RenameLog::dir_is_taken(BucketId bucket, const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return dirs_taken_.contains({bucket.value, path});
}

void RenameLog::end_dir(BucketId bucket, const std::string& path) {
  const std::lock_guard lock(mutex_);
  dirs_taken_.erase({bucket.value, path});
}

std::vector<RenameLog::Intent> RenameLog::take_given_up() {
  const std::lock_guard lock(mutex_);
  return std::exchange(given_up_, {});
}

std::vector<std::string> RenameLog::open_intents() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [id, intent] : intents_) out.push_back(id);
  return out;
}
void RenameLog::note_settled(const std::string& op_id) {
  const std::lock_guard lock(mutex_);
  if (const auto it = prepared_.find(op_id); it != prepared_.end()) it->second.is_settled = true;
}

bool RenameLog::has_work() const {
  const std::lock_guard lock(mutex_);
  return !intents_.empty() ||
         std::ranges::any_of(prepared_, [](const auto& one) { return !one.second.is_settled; });
}

std::vector<std::string> RenameLog::open_prepared() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [id, prepared] : prepared_) out.push_back(id);
  return out;
}

}  // namespace aisfs::target
