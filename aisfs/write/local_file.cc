// SPDX-License-Identifier: MIT
#include "aisfs/write/local_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/async/offload.h"

namespace aisfs::write {
namespace {

Result<UniqueFd> open_scratch(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR) return errno_error("cache folder " + folder);
  std::string path = folder + "/aisfs-XXXXXX";
  fd.reset(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd.valid()) return errno_error("cache folder " + folder);
  ::unlink(path.c_str());
  return fd;
}

Status pwrite_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write to the cache folder");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> pread_or_zeros(int fd, std::uint64_t offset, std::uint64_t length) {
  std::string out(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const ssize_t n =
        ::pread(fd, out.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read from the cache folder");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace

Task<Status> LocalFile::spill() {
  auto open = [folder = folder_, memory = memory_]() -> Result<UniqueFd> {
    TRY(UniqueFd fd, open_scratch(folder));
    CHECK_OK(pwrite_all(fd.get(), memory, 0));
    return fd;
  };
  CO_TRY(fd_, co_await offload(pool_, std::move(open)));
  memory_.clear();
  memory_.shrink_to_fit();
  co_return Status();
}

Task<Status> LocalFile::write(std::uint64_t offset, std::string bytes) {
  const std::uint64_t end = offset + bytes.size();
  if (!fd_.valid() && end <= memory_max_) {
    if (memory_.size() < end) memory_.resize(end);
    memory_.replace(offset, bytes.size(), bytes);
    co_return Status();
  }
  if (!fd_.valid()) CO_CHECK_OK(co_await spill());
  auto work = [fd = fd_.get(), offset, bytes = std::move(bytes)] {
    return pwrite_all(fd, bytes, offset);
  };
  co_return co_await offload(pool_, std::move(work));
}

Task<Result<std::string>> LocalFile::read(std::uint64_t offset, std::uint64_t length) {
  if (!fd_.valid()) {
    std::string out = offset < memory_.size() ? memory_.substr(offset, length) : std::string();
    out.resize(length);
    co_return out;
  }
  auto work = [fd = fd_.get(), offset, length] { return pread_or_zeros(fd, offset, length); };
  co_return co_await offload(pool_, std::move(work));
}

Task<Status> LocalFile::truncate(std::uint64_t size) {
  if (!fd_.valid()) {
    if (memory_.size() > size) memory_.resize(size);
    co_return Status();
  }
  auto work = [fd = fd_.get(), size]() -> Status {
    if (::ftruncate(fd, static_cast<off_t>(size)) == 0) return {};
    return errno_error("truncate in the cache folder");
  };
  co_return co_await offload(pool_, std::move(work));
}

}  // namespace aisfs::write
