// SPDX-License-Identifier: MIT
#include "node/store/spare_files.h"

#include <algorithm>
#include <utility>

namespace aisfs::store {

std::optional<SpareFile> SpareFiles::take(BucketId bucket, std::uint64_t size) {
  const auto fits = [&](const SpareFile& file) {
    return file.bucket == bucket && file.size >= size / 2 && file.size / 2 <= size;
  };
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(files_.rbegin(), files_.rend(), fits);
  if (found == files_.rend()) return std::nullopt;
  SpareFile file = std::move(*found);
  files_.erase(std::next(found).base());
  bytes_ -= file.size;
  return file;
}

std::vector<SpareFile> SpareFiles::give(SpareFile file) {
  std::vector<SpareFile> gone;
  if (file.size > kBytesMax) {
    gone.push_back(std::move(file));
    return gone;
  }
  const std::lock_guard lock(mutex_);
  bytes_ += file.size;
  files_.push_back(std::move(file));
  while (bytes_ > kBytesMax || files_.size() > kFilesMax) {
    bytes_ -= files_.front().size;
    gone.push_back(std::move(files_.front()));
    files_.erase(files_.begin());
  }
  return gone;
}

std::vector<SpareFile> SpareFiles::take_all() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(files_, {});
}

}  // namespace aisfs::store
