// SPDX-License-Identifier: MIT
#include "node/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace aisfs::node {

Result<UniqueFd> lock_folder(const std::string& dir) {
  if (dir.empty()) return Error(Errc::invalid_argument, "data_dir is not set");
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir " + dir);
  UniqueFd fd(::open((dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("open " + dir + "/lock");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(Errc::busy, "another aisnode runs on " + dir + "; stop it first");
  }
  return fd;
}

Result<auth::ClusterKey> cluster_key(const NodeConfig& config) {
  const std::string file =
      config.cluster_key().empty() ? config.data_dir() + "/cluster.key" : config.cluster_key();
  auto key = auth::ClusterKey::load(file);
  if (key || key.error().code() != Errc::not_found || !config.bootstrap()) return key;
  auto made = auth::ClusterKey::generate();
  CHECK_OK(made.save(file));
  return made;
}

}  // namespace aisfs::node
