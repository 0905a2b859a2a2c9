// SPDX-License-Identifier: MIT
#include "node/control/small_file.h"

#include <fcntl.h>

#include <cstdio>

#include "common/base/unique_fd.h"

namespace aisfs::control {
namespace {

constexpr std::size_t kBytesMax = 64 << 20;

Status sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string dir = slash == path.npos ? "." : path.substr(0, slash);
  const UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_error("sync " + dir);
  return {};
}

}  // namespace

Status write_private_file(const std::string& path, const std::string& bytes) {
  const std::string work = path + ".new";
  const UniqueFd fd(::open(work.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("create " + work);
  for (std::size_t at = 0; at < bytes.size();) {
    const auto n = ::write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (n < 0) return errno_error("write " + work);
    at += static_cast<std::size_t>(n);
  }
  if (::fsync(fd.get()) != 0) return errno_error("sync " + work);
  if (::rename(work.c_str(), path.c_str()) != 0) return errno_error("rename " + work);
  return sync_folder_of(path);
}

Result<std::string> read_private_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open " + path);
  std::string bytes;
  char buffer[65536];
  while (true) {
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0) return errno_error("read " + path);
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
    if (bytes.size() > kBytesMax) return Error(Errc::too_large, path + " is no file of ours");
  }
}

}  // namespace aisfs::control
