// SPDX-License-Identifier: MIT
// Programs that people have, each doing its work over and over while the cluster changes.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/model/cluster_map.h"
#include "tests/fault/scale_out/programs.h"
#include "tests/fault/scale_out/tally.h"
#include "tests/kit/user.h"

namespace aisfs::tests::scale {

/// Rounds on a thread of its own until the object is told to end.
class Loop {
 public:
  Loop(std::string name, Tally& tally) : name_(std::move(name)), tally_(tally) {}
  virtual ~Loop() = default;

  const std::string& name() const { return name_; }
  Tally& tally() { return tally_; }
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  /// To be called before the object goes.
  void end() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

 protected:
  virtual void round(std::size_t number) = 0;
  virtual bool begin() { return true; }
  virtual void finish() {}
  bool is_ending() const { return ending_; }

 private:
  void run() {
    if (begin()) {
      for (std::size_t i = 0; !ending_ && tally_.all().failures < kFailuresMax; ++i) round(i);
    }
    finish();
  }

  static constexpr std::size_t kFailuresMax = 20;

  const std::string name_;
  Tally& tally_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

/// What a loop needs to know of the cluster.
struct Site {
  std::string folder;  // its own; exists
  std::string bucket;
  std::vector<Endpoint> gateways;  // public
  Endpoint s3;                     // of a gateway
  Credentials keys;
  Duration patience{};  // for a gateway that starts anew
  bool renames = true;  // of directories in the mount
};

/// A tree is written through a mount of the bucket, read back, renamed, listed and removed; each
/// system call is an operation.
std::unique_ptr<Loop> make_mount_loop(Site site, Tally& tally);
/// `aws s3 sync` up and down and a comparison; a command is an operation. What it waited is what
/// one of its requests waited for the first byte of the answer, and a retry is a connection that
/// broke.
std::unique_ptr<Loop> make_aws_loop(Site site, Tally& tally);
/// `rclone sync` and `rclone check`.
std::unique_ptr<Loop> make_rclone_loop(Site site, Tally& tally);

}  // namespace aisfs::tests::scale
