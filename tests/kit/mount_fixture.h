// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>

#include "aisfs/fs/options.h"
#include "tests/kit/fake_cluster.h"

namespace aisfs::tests {

/// A real mount of a FakeCluster in a temporary folder, by this process.
///
///   FakeCluster cluster;
///   MountFixture mount(cluster);          // aborts the test program when /dev/fuse is unusable
///   std::ofstream(mount.path("b/x")) << "hello";
class MountFixture {
 public:
  explicit MountFixture(FakeCluster& cluster, fs::Options options = {});
  /// Unmounts and waits for the session to end.
  ~MountFixture();

  std::string path(const std::string& below = "") const;
  /// Ends the newest mount of this process as SIGTERM does; what the session ended with. Once.
  Status stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisfs::tests
