// SPDX-License-Identifier: MIT
// Files of this machine as bodies; every call that may block runs on the pool given.
#pragma once
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/async/byte_stream.h"
#include "common/base/unique_fd.h"
#include "common/model/object.h"

namespace aisfs::cli {

/// Told of every piece that went through.
using OnBytes = std::function<void(std::uint64_t)>;

/// A regular file from its start, or a pipe to its end.
class FileSource final : public BodySource {
 public:
  /// Without `size` the end of the file is the end of the body (standard input).
  FileSource(asio::thread_pool& pool,
             UniqueFd fd,
             std::optional<std::uint64_t> size,
             OnBytes on_bytes)
      : pool_(pool), fd_(std::move(fd)), left_(size), on_bytes_(std::move(on_bytes)) {}

  /// io "changed while it was read" when the file ends before its size.
  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return left_; }

 private:
  asio::thread_pool& pool_;
  UniqueFd fd_;
  std::optional<std::uint64_t> left_;
  OnBytes on_bytes_;
};

/// Opens a regular file for reading; is_directory for a folder.
Task<Result<UniqueFd>> open_source(asio::thread_pool& pool, std::string path);

/// Writes all of `body` to the descriptor.
Task<Status> copy_to_fd(asio::thread_pool& pool, BodySource& body, int fd, OnBytes on_bytes);

/// What becomes of a file that was fetched.
struct SaveOptions {
  bool preserve = false;  // mode and times of `posix`
  PosixAttrs posix;
};

/// Saves `body` under `path`, making the folders above it. The file appears whole or not at all:
/// it is written beside its place and renamed. What is there already and is no file (/dev/null, a
/// pipe) stays, and is written to.
Task<Status> save_file(asio::thread_pool& pool,
                       BodySource& body,
                       std::string path,
                       SaveOptions options,
                       OnBytes on_bytes);

/// Makes the link, in place of whatever file or link is there.
Task<Status> save_symlink(asio::thread_pool& pool, std::string path, std::string target);
Task<Status> make_folder(asio::thread_pool& pool, std::string path);

}  // namespace aisfs::cli
