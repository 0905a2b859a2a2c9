// SPDX-License-Identifier: MIT
#include "tests/kit/mount_fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "aisfs/mount/session.h"

namespace aisfs::tests {

class MountFixture::Impl {
 public:
  Impl(FakeCluster& cluster, fs::Options options) : runtime_(1) {
    AISFS_ASSERT(::mkdtemp(folder_.data()) != nullptr);
    runtime_.start();
    session_.emplace(runtime_, mount::Session::Cluster{cluster, cluster, cluster}, std::move(options));
    std::promise<void> ready;
    thread_ = std::thread([this, &ready] {
      mount::SessionOptions how{.mountpoint = folder_, .kernel_options = {"default_permissions"}};
      how.on_ready = [&ready] { ready.set_value(); };
      result_ = session_->run(std::move(how));
    });
    const auto came = ready.get_future().wait_for(std::chrono::seconds(20));
    AISFS_ASSERT(came == std::future_status::ready);
  }

  /// As SIGTERM to the daemon, of which this process has several.
  Status terminate() {
    ::pthread_kill(thread_.native_handle(), SIGTERM);
    return end();
  }

  Status unmount() {
    if (!thread_.joinable()) return result_;
    if (::umount2(folder_.c_str(), MNT_DETACH) != 0) {
      const std::string command = "fusermount3 -u -z '" + folder_ + "'";
      AISFS_ASSERT(std::system(command.c_str()) == 0);
    }
    return end();
  }

  const std::string& folder() const { return folder_; }

 private:
  Status end() {
    thread_.join();
    session_.reset();
    runtime_.stop();
    ::rmdir(folder_.c_str());
    return result_;
  }

  std::string folder_ = "/tmp/aisfs-test-XXXXXX";
  Runtime runtime_;
  std::optional<mount::Session> session_;
  std::thread thread_;
  Status result_;
};

MountFixture::MountFixture(FakeCluster& cluster, fs::Options options)
    : impl_(std::make_unique<Impl>(cluster, std::move(options))) {}
MountFixture::~MountFixture() { (void)impl_->unmount().ok(); }
std::string MountFixture::path(const std::string& below) const { return impl_->folder() + "/" + below; }
Status MountFixture::stop() { return impl_->terminate(); }

}  // namespace aisfs::tests
