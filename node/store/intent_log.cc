// SPDX-License-Identifier: MIT
#include "node/store/intent_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "common/disk/posix.h"
#include "common/obs/log.h"
#include "node/store/log_records.h"

namespace aisfs::store {
namespace {

// A file of less is not worth its name; more than this is not read at a start.
constexpr std::uint64_t kSegmentBytesMin = 1_MiB;
constexpr std::uint64_t kSegmentBytesMax = 1_GiB;
// One record takes at most this part of a file.
constexpr std::uint64_t kRecordShare = 8;

}  // namespace

Result<std::unique_ptr<IntentLog>> IntentLog::open(IntentLogOptions options) {
  std::unique_ptr<IntentLog> log(new IntentLog(std::move(options)));
  CHECK_OK(disk::make_dirs(log->options_.root, log->options_.dir));
  for (std::size_t i = 0; i < log->segments_.size(); ++i) CHECK_OK(log->open_segment(i));
  return log;
}

std::string IntentLog::path_of(std::size_t index) const {
  return options_.dir + "/" + std::to_string(index);
}

Status IntentLog::open_segment(std::size_t index) {
  auto fd = disk::open_beneath(options_.root, path_of(index), O_RDWR);
  if (!fd) return fd.error().code() == Errc::not_found ? Status() : Status(std::move(fd).error());
  Segment& segment = segments_[index];
  segment.fd = *std::move(fd);
  TRY(const auto stat, disk::stat_of(segment.fd.get()));
  segment.bytes = stat.size;
  std::string header(kLogSegmentHeaderBytes, '\0');
  const MutableBytes into = std::as_writable_bytes(std::span(header));
  TRY(const std::size_t got, disk::pread_up_to(segment.fd.get(), into, 0));
  if (got < header.size()) return {};
  // No header, or one cut off by a crash: nothing in this file was acknowledged.
  if (auto begin = decode_segment_header(header)) segment.begin = *begin;
  next_ = std::max(next_, segment.begin + segment.bytes);
  return {};
}

/// Blocks are allocated and written, so that a sync of what is written over them is a write alone.
Status IntentLog::make(std::size_t index) {
  Segment& segment = segments_[index];
  if (!segment.fd.valid()) {
    TRY(segment.fd, disk::open_beneath(options_.root, path_of(index), O_CREAT | O_RDWR, 0600));
  }
  const std::vector<std::byte> zeros(1_MiB);
  for (std::uint64_t at = segment.bytes; at < options_.segment_bytes; at += zeros.size()) {
    const ConstBytes part =
        ConstBytes(zeros).first(std::min<std::uint64_t>(zeros.size(), options_.segment_bytes - at));
    CHECK_OK(disk::pwrite_all(segment.fd.get(), part, at));
  }
  segment.bytes = std::max(segment.bytes, options_.segment_bytes);
  CHECK_OK(disk::sync_file(segment.fd.get()));
  return disk::sync_dir(options_.root, options_.dir);
}

Status IntentLog::begin(Segment& segment) {
  segment.begin = next_++;
  const std::string header = encode_segment_header(segment.begin);
  CHECK_OK(disk::pwrite_all(segment.fd.get(), as_bytes(header), 0));
  segment.used = header.size();
  return {};
}

/// False when both files are full of what must stay.
Result<bool> IntentLog::make_room(std::uint64_t bytes) {
  if (unavailable_ || options_.segment_bytes < kSegmentBytesMin) return false;
  if (bytes > options_.segment_bytes / kRecordShare) return false;
  const Segment& now = segments_[current_];
  if (now.used != 0 && now.used + bytes <= options_.segment_bytes) return true;
  const std::size_t index = now.used == 0 ? current_ : 1 - current_;
  Segment& next = segments_[index];
  {
    const std::lock_guard lock(mutex_);
    if (next.held != 0) return false;
  }
  if (next.bytes < options_.segment_bytes) {
    if (Status made = make(index); !made) {
      unavailable_ = true;
      LOG_WARN("no intent log: a PUT at level full takes two barriers", "why", made.error().what());
      next.bytes = 0;
      if (next.fd.valid() && ::ftruncate(next.fd.get(), 0) != 0) return errno_error("ftruncate");
      return false;
    }
  }
  CHECK_OK(begin(next));
  const std::lock_guard lock(mutex_);
  const Segment& old = segments_[current_];
  if (index != current_ && old.held != 0 && old.pending == 0) wants_barrier_ = true;
  current_ = index;
  return true;
}

/// Where the record begins; nullopt without room.
Result<std::optional<Lsn>> IntentLog::write(LogType type,
                                            std::string_view head,
                                            ConstBytes content) {
  std::optional<Lsn> begin;
  std::string payload;
  payload.reserve(head.size() + content.size());
  payload += head;
  payload += as_text(content);
  if (payload.size() > kLogRecordBytesMax) return begin;
  TRY(const bool room, make_room(kLogRecordHeaderBytes + payload.size()));
  if (!room) return begin;
  Segment& segment = segments_[current_];
  begin = segment.begin + (segment.used - kLogSegmentHeaderBytes);
  std::string record;
  encode_record_to(record, *begin, type, payload);
  CHECK_OK(disk::pwrite_all(segment.fd.get(), as_bytes(record), segment.used));
  segment.used += record.size();
  next_ = std::max(next_, segment.begin + segment.used);
  const std::lock_guard lock(mutex_);
  segment.unsynced = segment.fd.get();
  return begin;
}

Result<IntentLog::Ticket> IntentLog::append(LogType type,
                                            std::string_view head,
                                            ConstBytes content,
                                            Version version) {
  const std::lock_guard writing(writing_);
  TRY(const auto begin, write(type, head, content));
  if (!begin) return Ticket();
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_[current_];
  ++segment.held;
  ++segment.pending;
  held_[*begin] = {current_, version};
  ++held_of_version_[version];
  return Ticket(this, *begin);
}

Status IntentLog::cancel(std::string_view head) {
  const std::lock_guard writing(writing_);
  TRY([[maybe_unused]] const auto begin, write(LogType::kStagedCancelled, head, {}));
  return {};
}

Status IntentLog::sync() {
  std::array<int, 2> files{-1, -1};
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      files[i] = std::exchange(segments_[i].unsynced, -1);
    }
  }
  for (const int fd : files) {
    if (fd >= 0) CHECK_OK(disk::sync_data(fd));
  }
  return {};
}

bool IntentLog::holds(Version version) const {
  const std::lock_guard lock(mutex_);
  return held_of_version_.contains(version);
}

bool IntentLog::empty() const {
  const std::lock_guard lock(mutex_);
  return held_.empty();
}

void IntentLog::settle(Lsn begin) {
  const std::lock_guard lock(mutex_);
  Segment& segment = segments_[held_.at(begin).segment];
  settled_.push_back(begin);
  const bool full = &segment != &segments_[current_];
  if (--segment.pending == 0 && full) wants_barrier_ = true;
}

std::vector<Lsn> IntentLog::settled() {
  const std::lock_guard lock(mutex_);
  return std::exchange(settled_, {});
}

void IntentLog::forget(const std::vector<Lsn>& durable) {
  if (durable.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (const Lsn begin : durable) {
      const auto it = held_.find(begin);
      --segments_[it->second.segment].held;
      const auto of_version = held_of_version_.find(it->second.version);
      if (--of_version->second == 0) held_of_version_.erase(of_version);
      held_.erase(it);
    }
  }
  if (Status written = write_begin(); !written) {
    LOG_WARN("a start after power loss will look at more intents", "why", written.error().what());
  }
}

/// Nobody waits for this record: a start that does not find it looks at more than it needs to.
Status IntentLog::write_begin() {
  const std::lock_guard writing(writing_);
  const Segment& now = segments_[current_];
  if (now.used == 0) return {};
  // Nothing lies behind it yet: where the next record begins.
  IntentsBeginRecord record{.begin = now.begin + (now.used - kLogSegmentHeaderBytes)};
  {
    const std::lock_guard lock(mutex_);
    if (!held_.empty()) record.begin = held_.begin()->first;
  }
  TRY([[maybe_unused]] const auto begin, write(LogType::kIntentsBegin, wire::encode(record), {}));
  return {};
}

bool IntentLog::wants_barrier() {
  const std::lock_guard lock(mutex_);
  return std::exchange(wants_barrier_, false);
}

Status IntentLog::walk(const LogVisitor& visit) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (!segments_[i].fd.valid()) continue;
    TRY(const std::string text, disk::read_file(options_.root, path_of(i), kSegmentBytesMax));
    const auto begin = decode_segment_header(text);
    if (!begin && begin.error().code() == Errc::unsupported) return begin.error();
    if (!begin) continue;
    const std::string_view records = std::string_view(text).substr(kLogSegmentHeaderBytes);
    TRY([[maybe_unused]] const Lsn end, walk_records(records, *begin, visit));
  }
  return {};
}

Status IntentLog::replay(const LogVisitor& visit) const {
  Lsn begin = 0;
  const auto find_begin = [&](const LogRecord& record) -> Status {
    if (record.type != LogType::kIntentsBegin) return {};
    TRY(const auto found, wire::decode<IntentsBeginRecord>(record.payload));
    begin = std::max(begin, found.begin);
    return {};
  };
  CHECK_OK(walk(find_begin));
  const auto visit_rest = [&](const LogRecord& record) {
    const bool counts = record.begin >= begin && record.type != LogType::kIntentsBegin;
    return counts ? visit(record) : Status();
  };
  return walk(visit_rest);
}

Status IntentLog::clear() {
  const std::lock_guard writing(writing_);
  for (Segment& segment : segments_) {
    if (!segment.fd.valid()) continue;
    CHECK_OK(begin(segment));
    CHECK_OK(disk::sync_data(segment.fd.get()));
  }
  return {};
}

}  // namespace aisfs::store
