// SPDX-License-Identifier: MIT
#include "aisfs/mount/session.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "aisfs/mount/dispatch.h"
#include "aisfs/mount/init_caps.h"
#include "common/obs/log.h"

namespace aisfs::mount {
namespace {

constexpr unsigned kLoopThreads = 2;  // they only decode; more cost wake-ups across cores
constexpr auto kWatchInterval = std::chrono::milliseconds(100);

struct FuseArgs {
  explicit FuseArgs(const std::vector<std::string>& options) {
    fuse_opt_add_arg(&args, "aisfs");
    for (const std::string& option : options) {
      fuse_opt_add_arg(&args, "-o");
      fuse_opt_add_arg(&args, option.c_str());
    }
  }
  ~FuseArgs() { fuse_opt_free_args(&args); }
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
};

struct EndSession {
  void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using SessionPtr = std::unique_ptr<fuse_session, EndSession>;

Status check_mountpoint(const std::string& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) != 0) {
    const int err = errno;
    if (err == ENOTCONN) {
      return Error(Errc::busy, path + " is a dead mount: fusermount3 -u " + path + " first");
    }
    return errno_error("mountpoint " + path, err);
  }
  if (!S_ISDIR(st.st_mode)) return Error(Errc::not_directory, path + " is not a directory");
  if (::access("/dev/fuse", R_OK | W_OK) != 0) {
    return Error(Errc::unsupported, "/dev/fuse cannot be opened: load the module fuse, or give the "
                                    "container --device /dev/fuse --cap-add SYS_ADMIN");
  }
  return {};
}

}  // namespace

class Session::Impl {
 public:
  Impl(Runtime& runtime, ops::Mount::Cluster cluster, fs::Options options)
      : runtime_(runtime),
        mount_(cluster, std::move(options), runtime.shard(0).get_executor()),
        dispatch_{mount_, mount_.shard, {}} {}

  Status run(SessionOptions options) {
    CHECK_OK(check_mountpoint(options.mountpoint));
    FuseArgs args(options.kernel_options);
    const auto& table = fuse_operations();
    SessionPtr session(fuse_session_new(&args.args, &table, sizeof(table), &dispatch_));
    if (!session) return Error(Errc::invalid_argument, "a mount option is not known (see aisfs(1))");
    if (fuse_set_signal_handlers(session.get()) != 0) return Error(Errc::internal, "signal handlers");
    if (fuse_session_mount(session.get(), options.mountpoint.c_str()) != 0) {
      fuse_remove_signal_handlers(session.get());
      return Error(Errc::io, "cannot mount on " + options.mountpoint +
                                 ": as a user, fusermount3 (package fuse3) is needed, and "
                                 "user_allow_other in /etc/fuse.conf for -o allow_other");
    }
    CHECK_OK(runtime_.run_on(0, start_watch()));
    std::thread ready([&] { announce(options); });
    loop(session.get());
    ready.join();
    fuse_remove_signal_handlers(session.get());
    const Status closed = runtime_.run_on(0, finish());
    fuse_session_unmount(session.get());
    return closed;
  }

 private:
  /// Signals are blocked everywhere but here, so they interrupt the wait of this very loop.
  static void loop(fuse_session* session) {
    sigset_t ends, before;
    sigemptyset(&ends);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
    pthread_sigmask(SIG_UNBLOCK, &ends, &before);
    fuse_loop_config* config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config, 0);
    fuse_loop_cfg_set_max_threads(config, kLoopThreads);
    fuse_loop_cfg_set_idle_threads(config, kLoopThreads);
    fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  /// The first answer of the mount is the proof that it works.
  static void announce(const SessionOptions& options) {
    struct stat st;
    if (::stat(options.mountpoint.c_str(), &st) != 0) {
      LOG_ERROR("the mount does not answer", "on", options.mountpoint, "errno", errno);
      return;
    }
    widen_kernel_readahead(options.mountpoint);
    LOG_INFO("mounted", "on", options.mountpoint);
    if (options.on_ready) options.on_ready();
  }

  Task<Status> start_watch() {
    watch_.emplace(mount_.shard);
    watch_->spawn(watch());
    co_return Status();
  }

  Task<void> watch() {
    asio::steady_timer timer(mount_.shard);
    while (true) {
      timer.expires_after(kWatchInterval);
      const auto [ec] = co_await timer.async_wait(use_ec);
      const auto state = co_await asio::this_coro::cancellation_state;
      if (ec || state.cancelled() != asio::cancellation_type::none) co_return;
      dispatch_.inflight.cancel_late();
    }
  }

  /// What is on its way ends within its deadline; then dirty files are published.
  Task<Status> finish() {
    asio::steady_timer timer(mount_.shard);
    const Deadline patience = Deadline::after(mount_.options.op_timeout);
    while (dispatch_.inflight.size() > 0 && !patience.expired()) {
      timer.expires_after(std::chrono::milliseconds(5));
      (void)co_await timer.async_wait(use_ec);
    }
    Status closed = co_await mount_.close();
    watch_->cancel();
    co_await watch_->join();
    co_return closed;
  }

  Runtime& runtime_;
  ops::Mount mount_;
  Dispatch dispatch_;
  std::optional<TaskScope> watch_;
};

Session::Session(Runtime& runtime, ops::Mount::Cluster cluster, fs::Options options)
    : impl_(std::make_unique<Impl>(runtime, cluster, std::move(options))) {}
Session::~Session() = default;
Status Session::run(SessionOptions options) { return impl_->run(std::move(options)); }

}  // namespace aisfs::mount
