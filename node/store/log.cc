// SPDX-License-Identifier: MIT
#include "node/store/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/disk/posix.h"

namespace aisfs::store {
namespace {

constexpr std::string_view kSuffix = ".log";
// A segment that was closed is at most this: what replay may read into memory.
constexpr std::uint64_t kSegmentBytesMax = 1ull << 32;

std::optional<Lsn> lsn_of_name(std::string_view name) {
  if (!name.ends_with(kSuffix) || name.size() != 16 + kSuffix.size()) return std::nullopt;
  const auto raw = from_hex(name.substr(0, 16));
  if (!raw) return std::nullopt;
  Lsn lsn = 0;
  for (const char c : *raw) lsn = lsn << 8 | static_cast<unsigned char>(c);
  return lsn;
}

Result<std::vector<Lsn>> segments_in(int root, const std::string& dir) {
  TRY(UniqueFd fd, disk::open_beneath(root, dir, O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
  if (!stream) return errno_error("read " + dir);
  fd.release();  // the stream's now
  std::vector<Lsn> found;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (const auto lsn = lsn_of_name(entry->d_name)) found.push_back(*lsn);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(LogOptions options) {
  std::unique_ptr<Log> log(new Log(std::move(options)));
  CHECK_OK(disk::make_dirs(log->options_.root, log->options_.dir));
  CHECK_OK(log->open_segments());
  return log;
}

Log::~Log() {
  // Whoever needs it in the kernel has called flush; what is left nobody was promised.
  (void)flush(end());
}

std::string Log::path_of(Lsn begin) const {
  return options_.dir + "/" + to_hex(begin) + std::string(kSuffix);
}

/// A bit that changes looks like the end of the log: what follows would be forgotten.
Status Log::check_end() const {
  if (appended_ >= options_.known_end) return {};
  return Error(Errc::corrupt, "the log ends at " + std::to_string(appended_) +
                                  " and was read up to " + std::to_string(options_.known_end) +
                                  ": the disk has damaged it");
}

Status Log::open_segments() {
  TRY(const std::vector<Lsn> found, segments_in(options_.root, options_.dir));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool newest = i + 1 == found.size();
    auto text = disk::read_file(options_.root, path_of(found[i]), kSegmentBytesMax);
    if (!text) return std::move(text).error().context("log segment " + path_of(found[i]));
    const auto begin = decode_segment_header(*text);
    if (newest && !begin && text->size() <= kLogSegmentHeaderBytes) {
      // Its making was cut off: the header is synced before anything follows it.
      CHECK_OK(check_end());
      CHECK_OK(disk::unlink_beneath(options_.root, path_of(found[i])));
      break;
    }
    if (!begin) return Error(begin.error()).context("log segment " + path_of(found[i]));
    if (*begin != found[i] || (!segments_.empty() && *begin != appended_)) {
      return Error(Errc::corrupt, "log: segment before " + path_of(found[i]) + " is missing or cut off");
    }
    const auto ignore = [](const LogRecord&) { return Status{}; };
    const std::string_view records = std::string_view(*text).substr(kLogSegmentHeaderBytes);
    TRY(const Lsn end, walk_records(records, *begin, ignore));
    segments_.push_back({*begin, end - *begin});
    appended_ = flushed_ = end;
  }
  CHECK_OK(check_end());
  if (segments_.empty()) return start_segment(found.empty() ? 0 : found.back());
  const std::string newest = path_of(segments_.back().begin);
  TRY(UniqueFd fd, disk::open_beneath(options_.root, newest, O_RDWR));
  file_ = std::make_shared<const UniqueFd>(std::move(fd));
  newest_begin_ = segments_.back().begin;
  const auto size = static_cast<off_t>(kLogSegmentHeaderBytes + segments_.back().bytes);
  if (::ftruncate(file_->get(), size) != 0) return errno_error("truncate " + newest);
  CHECK_OK(disk::sync_file(file_->get()));  // what replay will see is what stays
  synced_ = appended_;
  return {};
}

/// Makes the file that begins at `begin`. Its predecessor has been synced.
Status Log::start_segment(Lsn begin) {
  const std::string path = path_of(begin);
  TRY(UniqueFd fd, disk::open_beneath(options_.root, path, O_CREAT | O_TRUNC | O_RDWR, 0600));
  CHECK_OK(disk::pwrite_all(fd.get(), as_bytes(encode_segment_header(begin)), 0));
  CHECK_OK(disk::sync_file(fd.get()));
  CHECK_OK(disk::sync_dir(options_.root, options_.dir));
  file_ = std::make_shared<const UniqueFd>(std::move(fd));
  segments_.push_back({begin, 0});
  newest_begin_ = begin;
  return {};
}

Lsn Log::begin() const {
  const std::lock_guard lock(mutex_);
  return segments_.front().begin;
}

Lsn Log::end() const {
  const std::lock_guard lock(mutex_);
  return appended_;
}

Lsn Log::append(LogType type, std::string_view payload) {
  AISFS_ASSERT(payload.size() <= kLogRecordBytesMax);
  const std::lock_guard lock(mutex_);
  const std::size_t before = buffer_.size();
  encode_record_to(buffer_, appended_, type, payload);
  appended_ += buffer_.size() - before;
  return appended_;
}

Status Log::flush(Lsn to) {
  std::unique_lock lock(mutex_);
  to = std::min(to, appended_);
  while (flushed_ < to && !failed_) {
    if (flushing_) {
      flushed_cv_.wait(lock);
      continue;
    }
    flushing_ = true;
    const std::string batch = std::exchange(buffer_, {});
    const Lsn begin = flushed_;
    lock.unlock();
    auto written = write_out(batch, begin);
    lock.lock();
    flushing_ = false;
    if (written) {
      flushed_ = begin + batch.size();
      segments_.back().bytes = flushed_ - segments_.back().begin;
    } else {
      failed_ = std::move(written).error();
    }
    flushed_cv_.notify_all();
  }
  return failed_ ? Status(*failed_) : Status{};
}

/// Called with flushing_ set and without the mutex. It alone changes file_ and adds segments, so
/// it may read them without the mutex.
Status Log::write_out(const std::string& batch, Lsn begin) {
  if (begin - newest_begin_ >= options_.segment_bytes) {
    CHECK_OK(disk::sync_data(file_->get()));
    const std::lock_guard lock(mutex_);
    CHECK_OK(start_segment(begin));
    synced_ = std::max(synced_, begin);
  }
  return disk::pwrite_all(file_->get(), as_bytes(batch),
                          kLogSegmentHeaderBytes + (begin - newest_begin_));
}

Status Log::sync(Lsn to) {
  const std::lock_guard one(sync_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return *failed_;
    if (synced_ >= to) return {};
  }
  CHECK_OK(flush(to));
  Lsn upto = 0;
  std::shared_ptr<const UniqueFd> file;  // lives on when the log goes on to the next segment
  {
    const std::lock_guard lock(mutex_);
    upto = flushed_;
    file = file_;
  }
  auto synced = disk::sync_data(file->get());
  const std::lock_guard lock(mutex_);
  if (!synced) {
    failed_ = std::move(synced).error();
    return *failed_;
  }
  synced_ = std::max(synced_, upto);
  return {};
}

Status Log::health() const {
  const std::lock_guard lock(mutex_);
  return failed_ ? Status(*failed_) : Status{};
}

void Log::mark_synced(Lsn to) {
  const std::lock_guard lock(mutex_);
  synced_ = std::max(synced_, std::min(to, flushed_));
}

Result<std::string> Log::read_segment(const Segment& segment) const {
  TRY(std::string text,
      disk::read_file(options_.root, path_of(segment.begin), kSegmentBytesMax));
  TRY(const Lsn begin, decode_segment_header(text));
  if (begin != segment.begin || text.size() < kLogSegmentHeaderBytes + segment.bytes) {
    return Error(Errc::corrupt, "log segment " + path_of(segment.begin) + " changed");
  }
  text.resize(kLogSegmentHeaderBytes + segment.bytes);
  text.erase(0, kLogSegmentHeaderBytes);
  return text;
}

Status Log::replay(Lsn from, const LogVisitor& visit) const {
  std::vector<Segment> segments;
  {
    const std::lock_guard lock(mutex_);
    segments = segments_;
  }
  const auto wanted = [&](const LogRecord& record) {
    return record.begin >= from ? visit(record) : Status{};
  };
  for (const Segment& segment : segments) {
    if (segment.begin + segment.bytes <= from) continue;
    TRY(const std::string records, read_segment(segment));
    TRY(const Lsn end, walk_records(records, segment.begin, wanted));
    if (end != segment.begin + segment.bytes) {
      return Error(Errc::corrupt, "log segment " + path_of(segment.begin) + " is damaged");
    }
  }
  return {};
}

Status Log::compact(Lsn below, const std::function<bool(const LogRecord&)>& keep) {
  std::vector<Segment> old;
  {
    const std::lock_guard lock(mutex_);
    for (const Segment& s : segments_) {
      if (&s != &segments_.back() && s.begin + s.bytes <= below) old.push_back(s);
    }
  }
  if (old.empty()) return {};
  Lsn copied = 0;
  for (const Segment& segment : old) {
    TRY(const std::string records, read_segment(segment));
    const auto copy = [&](const LogRecord& record) -> Status {
      if (!keep(record)) return {};
      copied = append(record.type, record.payload);
      return flush(copied);
    };
    TRY(const Lsn end, walk_records(records, segment.begin, copy));
    if (end != segment.begin + segment.bytes) {
      return Error(Errc::corrupt, "log segment " + path_of(segment.begin) + " is damaged");
    }
  }
  CHECK_OK(sync(copied));
  for (const Segment& segment : old) {  // oldest first: what a crash leaves is without a gap
    CHECK_OK(disk::unlink_beneath(options_.root, path_of(segment.begin)));
    const std::lock_guard lock(mutex_);
    segments_.erase(segments_.begin());
  }
  return disk::sync_dir(options_.root, options_.dir);
}

}  // namespace aisfs::store
