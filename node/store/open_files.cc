// SPDX-License-Identifier: MIT
#include "node/store/open_files.h"

#include <sys/uio.h>

#include "common/base/hash.h"

namespace aisfs::store {

ReadPins::Pin ReadPins::pin(Version version) {
  Shard& shard = shard_of(version);
  const std::lock_guard lock(shard.mutex);
  ++shard.count[version];
  if (version.hlc > shard.read_up_to && shard.read.insert(version).second &&
      shard.read.size() > kRememberedMax) {
    for (const Version& known : shard.read) {
      shard.read_up_to = std::max(shard.read_up_to, known.hlc);
    }
    shard.read.clear();
  }
  return {this, version};
}

bool ReadPins::was_read(Version version) {
  Shard& shard = shard_of(version);
  const std::lock_guard lock(shard.mutex);
  return version.hlc <= shard.read_up_to || shard.read.contains(version) ||
         shard.count.contains(version);
}

void ReadPins::assume_read(std::uint64_t hlc) {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.read_up_to = std::max(shard.read_up_to, hlc);
  }
}

void ReadPins::unpin(Version version) {
  Shard& shard = shard_of(version);
  const std::lock_guard lock(shard.mutex);
  const auto it = shard.count.find(version);
  if (--it->second == 0) shard.count.erase(it);
}

const HotObject* OpenFile::hot() {
  if (const HotObject* known = hot_.get()) return known;
  const std::uint64_t size = meta.info.size;
  std::string content(size <= kHotBytesMax ? size : 0, '\0');
  if (!content.empty()) {
    const iovec whole{content.data(), content.size()};
    const ssize_t n = ::preadv2(fd.get(), &whole, 1, 0, RWF_NOWAIT);
    if (n != static_cast<ssize_t>(size)) return nullptr;
  }
  return &hot_.keep(std::unique_ptr<const HotObject>(new HotObject{meta.info, std::move(content)}));
}

void OpenFile::distrust() {
  for (auto& block : blocks) block.store(false, std::memory_order_relaxed);
  verified.store(false, std::memory_order_release);
}

std::shared_ptr<OpenFile> OpenFiles::find(Version version) {
  Shard& shard = shard_of(version);
  std::lock_guard lock(shard.mutex);
  const auto it = shard.by_version.find(version);
  if (it == shard.by_version.end()) return nullptr;
  shard.recent.splice(shard.recent.begin(), shard.recent, it->second);
  return it->second->file;
}

void OpenFiles::insert(std::shared_ptr<OpenFile> file) {
  const Version version = file->meta.info.content_version;
  Shard& shard = shard_of(version);
  std::shared_ptr<OpenFile> evicted;  // closed after the lock
  std::lock_guard lock(shard.mutex);
  if (shard.by_version.contains(version)) return;
  file->shared = true;
  shard.recent.push_front({version, std::move(file)});
  shard.by_version[version] = shard.recent.begin();
  if (shard.recent.size() <= per_shard_) return;
  Entry& last = shard.recent.back();
  const bool superseded = last.until != TimePoint::max();
  if (superseded) --shard.superseded;
  if (superseded && shard.pushed_out.size() < kPushedOutMax) {
    shard.pushed_out.push_back(std::move(last.file));
  } else {
    evicted = std::move(last.file);
  }
  shard.by_version.erase(last.version);
  shard.recent.pop_back();
}

void OpenFiles::supersede(Version version, TimePoint until) {
  Shard& shard = shard_of(version);
  std::lock_guard lock(shard.mutex);
  const auto it = shard.by_version.find(version);
  if (it == shard.by_version.end() || it->second->until != TimePoint::max()) return;
  it->second->until = until;
  ++shard.superseded;
}

void OpenFiles::forget(Version version) {
  Shard& shard = shard_of(version);
  std::list<Entry> dropped;  // closed after the lock
  std::lock_guard lock(shard.mutex);
  const auto it = shard.by_version.find(version);
  if (it == shard.by_version.end()) return;
  it->second->file->distrust();
  if (it->second->until != TimePoint::max()) --shard.superseded;
  dropped.splice(dropped.begin(), shard.recent, it->second);
  shard.by_version.erase(it);
}

void OpenFiles::sweep(TimePoint now) {
  for (Shard& shard : shards_) {
    std::list<Entry> closed;
    std::vector<std::shared_ptr<OpenFile>> pushed_out;
    std::lock_guard lock(shard.mutex);
    pushed_out.swap(shard.pushed_out);
    if (shard.superseded == 0) continue;
    for (auto it = shard.recent.begin(); it != shard.recent.end();) {
      const auto entry = it++;
      if (entry->until > now) continue;
      --shard.superseded;
      shard.by_version.erase(entry->version);
      closed.splice(closed.begin(), shard.recent, entry);
    }
  }
}

void OpenFiles::drop(const Mountpath& mountpath) {
  for (Shard& shard : shards_) {
    std::list<Entry> closed;
    std::lock_guard lock(shard.mutex);
    for (auto it = shard.recent.begin(); it != shard.recent.end();) {
      const auto entry = it++;
      if (entry->file->mountpath.get() != &mountpath) continue;
      if (entry->until != TimePoint::max()) --shard.superseded;
      shard.by_version.erase(entry->version);
      closed.splice(closed.begin(), shard.recent, entry);
    }
    std::erase_if(shard.pushed_out,
                  [&](const auto& file) { return file->mountpath.get() == &mountpath; });
  }
}

void OpenFiles::clear() {
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    shard.by_version.clear();
    shard.recent.clear();
    shard.superseded = 0;
    shard.pushed_out.clear();
  }
}

std::uint64_t VerifiedSet::mark_of(Version v) {
  const std::uint64_t words[] = {v.hlc, std::uint64_t{v.epoch} << 32 | v.incarnation};
  return xxh3_64(std::as_bytes(std::span(words))) | 1;  // 0 is an empty slot
}

bool VerifiedSet::contains(Version v) const {
  const std::uint64_t mark = mark_of(v);
  return slots_[(mark >> 1) % kSlots].load(std::memory_order_relaxed) == mark;
}

void VerifiedSet::insert(Version v) {
  const std::uint64_t mark = mark_of(v);
  slots_[(mark >> 1) % kSlots].store(mark, std::memory_order_relaxed);
}

void VerifiedSet::erase(Version v) {
  std::uint64_t mark = mark_of(v);
  slots_[(mark >> 1) % kSlots].compare_exchange_strong(mark, 0, std::memory_order_relaxed);
}

void VerifiedSet::clear() {
  for (auto& slot : slots_) slot.store(0, std::memory_order_relaxed);
}

}  // namespace aisfs::store
