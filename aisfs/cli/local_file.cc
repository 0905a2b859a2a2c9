// SPDX-License-Identifier: MIT
#include "aisfs/cli/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "common/async/offload.h"
#include "common/base/defer.h"

namespace aisfs::cli {
namespace {

namespace fs = std::filesystem;

// One piece: large enough that a hop to the pool (60 us) is nothing beside it.
constexpr std::size_t kPieceBytes = 1_MiB;

Result<std::size_t> read_some(int fd, MutableBytes into) {
  while (true) {
    const ssize_t n = ::read(fd, into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return errno_error("read");
  }
}

Status write_all(int fd, ConstBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status make_folders(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return errno_error("create " + path.string(), ec.value());
  return {};
}

timespec timespec_of(std::int64_t ns) {
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

/// /dev/null, a pipe, a terminal: written to where it is.
bool is_device(const std::string& path) {
  struct stat st;
  return ::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/// A file beside its final place, removed unless it gets there; or the place itself, a device.
class WorkFile {
 public:
  static Result<WorkFile> create(std::string path) {
    if (is_device(path)) {
      UniqueFd device(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (!device.valid()) return errno_error("open " + path);
      return WorkFile(std::move(path), std::string(), std::move(device));
    }
    const fs::path parent = fs::path(path).parent_path();
    if (!parent.empty()) CHECK_OK(make_folders(parent));
    std::string work = path + ".ais-XXXXXX";
    UniqueFd fd(::mkostemp(work.data(), O_CLOEXEC));
    if (!fd.valid()) return errno_error("create " + work);
    return WorkFile(std::move(path), std::move(work), std::move(fd));
  }
  WorkFile(WorkFile&& o) noexcept
      : path_(std::move(o.path_)), work_(std::exchange(o.work_, {})), fd_(std::move(o.fd_)) {}
  WorkFile& operator=(WorkFile&&) = delete;
  ~WorkFile() {
    if (!work_.empty()) ::unlink(work_.c_str());
  }

  int fd() const { return fd_.get(); }

  Status publish(const SaveOptions& options) {
    if (work_.empty()) return {};
    CHECK_OK(set_attributes(options));
    if (::rename(work_.c_str(), path_.c_str()) != 0) return errno_error("rename to " + path_);
    work_.clear();
    return {};
  }

 private:
  WorkFile(std::string path, std::string work, UniqueFd fd)
      : path_(std::move(path)), work_(std::move(work)), fd_(std::move(fd)) {}

  Status set_attributes(const SaveOptions& options) {
    const bool known = options.preserve && options.posix.mode != 0;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    const mode_t mode = known ? options.posix.mode & 0777 : 0666 & ~mask;
    if (::fchmod(fd_.get(), mode) != 0) return errno_error("chmod " + work_);
    if (!known) return {};
    const timespec times[2] = {timespec_of(options.posix.atime_ns),
                               timespec_of(options.posix.mtime_ns)};
    if (::futimens(fd_.get(), times) != 0) return errno_error("set times of " + work_);
    return {};
  }

  std::string path_;
  std::string work_;
  UniqueFd fd_;
};

}  // namespace

Task<Result<std::size_t>> FileSource::read(MutableBytes into) {
  if (left_ && *left_ == 0) co_return std::size_t{0};
  const MutableBytes part =
      into.first(std::min<std::uint64_t>({into.size(), kPieceBytes, left_.value_or(kPieceBytes)}));
  auto read_part = [fd = fd_.get(), part] { return read_some(fd, part); };
  CO_TRY(const std::size_t n, co_await offload(pool_, read_part));
  if (n == 0 && left_) co_return Error(Errc::io, "the file became shorter while it was read");
  if (left_) *left_ -= n;
  on_bytes_(n);
  co_return n;
}

Task<Result<UniqueFd>> open_source(asio::thread_pool& pool, std::string path) {
  auto open = [path = std::move(path)]() -> Result<UniqueFd> {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd.valid()) return errno_error("open " + path);
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return errno_error("stat " + path);
    if (S_ISDIR(st.st_mode)) return Error(Errc::is_directory, path + " is a folder");
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return fd;
  };
  co_return co_await offload(pool, std::move(open));
}

Task<Status> copy_to_fd(asio::thread_pool& pool, BodySource& body, int fd, OnBytes on_bytes) {
  std::vector<std::byte> buffer(kPieceBytes);
  while (true) {
    CO_TRY(const std::size_t n, co_await body.read(buffer));
    if (n == 0) co_return Status{};
    const ConstBytes bytes(buffer.data(), n);
    auto write = [fd, bytes] { return write_all(fd, bytes); };
    CO_CHECK_OK(co_await offload(pool, write));
    on_bytes(n);
  }
}

Task<Status> save_file(asio::thread_pool& pool,
                       BodySource& body,
                       std::string path,
                       SaveOptions options,
                       OnBytes on_bytes) {
  auto create = [path = std::move(path)] { return WorkFile::create(path); };
  CO_TRY(WorkFile file, co_await offload(pool, std::move(create)));
  CO_CHECK_OK(co_await copy_to_fd(pool, body, file.fd(), std::move(on_bytes)));
  auto publish = [&file, options = std::move(options)] { return file.publish(options); };
  co_return co_await offload(pool, std::move(publish));
}

Task<Status> save_symlink(asio::thread_pool& pool, std::string path, std::string target) {
  auto link = [path = std::move(path), target = std::move(target)]() -> Status {
    CHECK_OK(make_folders(fs::path(path).parent_path()));
    ::unlink(path.c_str());
    if (::symlink(target.c_str(), path.c_str()) != 0) return errno_error("symlink " + path);
    return {};
  };
  co_return co_await offload(pool, std::move(link));
}

Task<Status> make_folder(asio::thread_pool& pool, std::string path) {
  auto make = [path = std::move(path)] { return make_folders(path); };
  co_return co_await offload(pool, std::move(make));
}

}  // namespace aisfs::cli
