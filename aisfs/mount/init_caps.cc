// SPDX-License-Identifier: MIT
#include "aisfs/mount/init_caps.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>

#include "common/base/bytes.h"
#include "common/obs/log.h"

namespace aisfs::mount {

void negotiate(fuse_conn_info& connection) {
  const auto want = [&](unsigned caps) { connection.want |= connection.capable & caps; };
  const auto refuse = [&](unsigned caps) { connection.want &= ~caps; };
  want(FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_PARALLEL_DIROPS |
       FUSE_CAP_READDIRPLUS);
  // Not AUTO: after a plain readdir every stat of `ls -l` is a round trip. No write-back cache: the
  // close would not know what is dirty. No invalidation by mtime: pages belong to a version, and a
  // version to an inode. No splice: slower than a copy.
  refuse(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_AUTO_INVAL_DATA |
         FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection.max_write = 1_MiB;
  connection.max_background = 128;  // the default of 12 starves read-ahead
  connection.congestion_threshold = 96;
}

void widen_kernel_readahead(const std::string& mountpoint) {
  struct stat st;
  if (::stat(mountpoint.c_str(), &st) != 0) return;
  const std::string path = "/sys/class/bdi/" + std::to_string(major(st.st_dev)) + ":" +
                           std::to_string(minor(st.st_dev)) + "/read_ahead_kb";
  std::ofstream file(path);
  file << 1024;
  file.close();
  LOG_DEBUG("kernel read-ahead", "path", path, "set", !file.fail());
}

}  // namespace aisfs::mount
