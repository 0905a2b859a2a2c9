// SPDX-License-Identifier: MIT
#include "common/auth/cluster_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace aisfs::auth {

ClusterKey::ClusterKey(std::string secret)
    : secret_(std::move(secret)),
      join_(hmac_sha256(secret_, "aisfs-join")),
      node_(hmac_sha256(secret_, "aisfs-node")),
      seal_(hmac_sha256(secret_, "aisfs-seal")),
      token_(hmac_sha256(secret_, "aisfs-token")) {}

ClusterKey ClusterKey::generate() { return ClusterKey(random_bytes(kBytes)); }

Result<ClusterKey> ClusterKey::parse(std::string_view hex) {
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r')) hex.remove_suffix(1);
  auto secret = from_hex(trim(hex));
  if (!secret.ok() || secret->size() != kBytes) {
    return Error(Errc::invalid_argument, "a cluster key is 64 hex digits");
  }
  return ClusterKey(std::move(*secret));
}

Result<ClusterKey> ClusterKey::load(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open " + file);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat " + file);
  if ((st.st_mode & 077) != 0) {
    return Error(Errc::permission_denied,
                 file + " holds the cluster's secret and others may read it; chmod 600 it");
  }
  char text[256];
  const ssize_t n = ::read(fd.get(), text, sizeof text);
  if (n < 0) return errno_error("read " + file);
  auto key = parse({text, static_cast<std::size_t>(n)});
  if (!key.ok()) return std::move(key.error()).context(file);
  return key;
}

Status ClusterKey::save(const std::string& file) const {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("create " + file);
  const std::string text = to_hex(as_bytes(secret_)) + "\n";
  const ssize_t n = ::write(fd.get(), text.data(), text.size());
  if (n != static_cast<ssize_t>(text.size())) return errno_error("write " + file);
  if (::fsync(fd.get()) != 0) return errno_error("sync " + file);
  return {};
}

}  // namespace aisfs::auth
