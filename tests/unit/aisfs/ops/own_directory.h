// SPDX-License-Identifier: MIT
// A mount that has a directory to itself.
#pragma once
#include "tests/unit/aisfs/ops/leased_mount.h"

namespace aisfs::ops {

class OwnDirectory : public LeasedMount {
 protected:
  explicit OwnDirectory(fs::Options options = {}) : LeasedMount(std::move(options)) {
    dir = run(mkdir(*mount, call(), bucket, "d", 0755))->nodeid;
    EXPECT_EQ(leases.delegated(), 1u);
    cluster.reset_calls();
  }
  Created make(const std::string& name) {
    auto made = run(create(*mount, call(), dir, name, 0644, O_RDWR | O_EXCL));
    EXPECT_TRUE(made.ok());
    return *made;
  }
  NodeId make_closed(const std::string& name, std::string bytes) {
    const Created made = make(name);
    EXPECT_TRUE(run(write(*mount, call(), made.opened.handle, 0, std::move(bytes))).ok());
    EXPECT_TRUE(close(made.opened.handle).ok());
    return made.entry.nodeid;
  }
  Status close(HandleId handle) {
    Status flushed = run(flush(*mount, call(), handle));
    EXPECT_TRUE(run(release(*mount, call(), handle)).ok() || !flushed.ok());
    return flushed;
  }
  Status chmod(NodeId node, std::uint32_t mode) {
    AttrRequest request{.mode = mode};
    const auto done = run(setattr(*mount, call(), node, request));
    return done ? Status{} : Status(done.error());
  }
  std::uint32_t mode_of(const std::string& key) {
    const auto info = cluster.info_of("b", key);
    return info && info->posix ? info->posix->mode & 07777 : 0;
  }
  /// The target wants the directory back, and waits until it has it.
  void recall() {
    const auto before = leases.given_back();
    ASSERT_TRUE(run(leases.recall(id, "d")).ok());
    until([&, before] { return leases.given_back() > before; });
  }

  NodeId dir = 0;
};

}  // namespace aisfs::ops
