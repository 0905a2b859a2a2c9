// SPDX-License-Identifier: MIT
#include "aisfs/mount/session.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdlib>
#include <thread>

#include "aisfs/mount/core_follower.h"
#include "aisfs/mount/dispatch.h"
#include "aisfs/mount/init_caps.h"
#include "common/base/defer.h"
#include "common/obs/log.h"

namespace aisfs::mount {
namespace {

// Requests taken in one go before answers from the network get their turn.
constexpr int kRequestsInARow = 16;
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

/// Tells the kernel to forget. Both messages take none of its inode locks, so they never wait for a
/// request that waits for us.
class FuseCache final : public ops::KernelCache {
 public:
  explicit FuseCache(fuse_session* session) : session_(session) {}

  /// FUSE_NOTIFY_INC_EPOCH, Linux 6.16 and newer. libfuse 3.14 does not know it yet.
  bool try_forget_names() {
    constexpr std::int32_t kIncEpoch = 8;
    struct {  // fuse_out_header
      std::uint32_t length = 16;
      std::int32_t code = kIncEpoch;
      std::uint64_t unique = 0;
    } message;
    return ::write(fuse_session_fd(session_), &message, sizeof message) == sizeof message;
  }

  void forget_names() override {
    if (!try_forget_names()) LOG_WARN("the kernel keeps names", "errno", errno);
  }
  void forget_attrs(std::uint64_t nodeid) override {
    constexpr off_t kAttributesOnly = -1;
    (void)fuse_lowlevel_notify_inval_inode(session_, nodeid, kAttributesOnly, 0);
  }

 private:
  fuse_session* session_;
};

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
    return Error(Errc::unsupported,
                 "/dev/fuse cannot be opened: load the module fuse, or give the "
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
    const sigset_t ends = ending_signals();
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    waiter_ = ::pthread_self();
    FuseArgs args(options.kernel_options);
    const auto& table = fuse_operations();
    SessionPtr session(fuse_session_new(&args.args, &table, sizeof(table), &dispatch_));
    if (!session)
      return Error(Errc::invalid_argument, "a mount option is not known (see aisfs(1))");
    if (fuse_session_mount(session.get(), options.mountpoint.c_str()) != 0) {
      return Error(Errc::io, "cannot mount on " + options.mountpoint +
                                 ": as a user, fusermount3 (package fuse3) is needed, and "
                                 "user_allow_other in /etc/fuse.conf for -o allow_other");
    }
    CHECK_OK(runtime_.run_on(0, start(session.get())));
    std::thread ready([&] { announce(options); });
    wait_for_end();
    fuse_session_exit(session.get());
    const Status closed = runtime_.run_on(0, finish());
    fuse_session_unmount(session.get());  // a stat that nobody answers any more ends here
    ready.join();
    return closed;
  }

 private:
  static sigset_t ending_signals() {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
    return ends;
  }

  /// A signal that ends us, or the one that read_requests sends when it has ended.
  static void wait_for_end() {
    const sigset_t ends = ending_signals();
    int got = 0;
    ::sigwait(&ends, &got);
  }

  /// The kernel's requests are read on the shard that works on them: what is in memory is answered
  /// without another thread, and what goes to the network starts at once. Who has just been
  /// answered asks again within microseconds, in which a thread does not get to sleep and back: for
  /// a moment it looks instead (Options::spin).
  Task<void> read_requests(fuse_session* session) {
    const int fd = fuse_session_fd(session);
    asio::posix::stream_descriptor kernel(mount_.shard, fd);
    const Defer keep_open([&] { kernel.release(); });  // libfuse closes it
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    fuse_buf buffer = {};
    const Defer free_buffer([&] { std::free(buffer.mem); });
    TimePoint looks_until;
    while (!fuse_session_exited(session)) {
      const Taken taken = take_requests(session, buffer, *core_);
      const TimePoint now = RealClock().now();
      if (taken != Taken::kNone) looks_until = now + mount_.options.spin;
      if (taken == Taken::kMaybeMore || now < looks_until) {
        if (taken == Taken::kNone) ::sched_yield();
        co_await asio::post(mount_.shard, asio::use_awaitable);
        continue;
      }
      const auto [ec] = co_await kernel.async_wait(asio::posix::descriptor_base::wait_read, use_ec);
      if (ec) co_return;
    }
    ::pthread_kill(waiter_, SIGTERM);  // unmounted by somebody else
  }

  enum class Taken { kNone, kAll, kMaybeMore };
  static Taken take_requests(fuse_session* session, fuse_buf& buffer, CoreFollower& core) {
    Taken taken = Taken::kNone;
    for (int i = 0; i < kRequestsInARow && !fuse_session_exited(session); ++i) {
      const int got = fuse_session_receive_buf(session, &buffer);
      if (got == -EINTR) continue;
      if (got == -EAGAIN) return taken;
      if (got <= 0) {
        fuse_session_exit(session);
        return taken;
      }
      note(buffer, core);
      fuse_session_process_buf(session, &buffer);
      taken = Taken::kAll;
    }
    return Taken::kMaybeMore;
  }

  static void note(const fuse_buf& request, CoreFollower& core) {
    fuse_in_header header;
    std::memcpy(&header, request.mem, sizeof header);
    std::uint64_t bytes = request.size;
    if (header.opcode == FUSE_READ) {
      fuse_read_in read;
      std::memcpy(&read, static_cast<const char*>(request.mem) + sizeof header, sizeof read);
      bytes = read.size;
    }
    core.note(static_cast<std::int32_t>(header.pid), bytes, RealClock().now());
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

  Task<Status> start(fuse_session* session) {
    loops_.emplace(mount_.shard);
    core_.emplace();
    loops_->spawn(watch());
    loops_->spawn(read_requests(session));
    if (mount_.cluster.leases != nullptr) {
      cache_.emplace(session);
      const bool forgets = cache_->try_forget_names();
      if (!forgets) LOG_INFO("this kernel cannot forget names, so it is told to remember none");
      loops_->spawn(mount_.leases.run(*mount_.cluster.leases, mount_.cluster.session,
                                      forgets ? &*cache_ : nullptr));
    }
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
      core_->rest(RealClock().now());
    }
  }

  /// What is on its way ends within its deadline; then dirty files are published.
  Task<Status> finish() {
    mount_.ending = true;
    asio::steady_timer timer(mount_.shard);
    const Deadline patience = Deadline::after(mount_.options.op_timeout);
    while (dispatch_.inflight.size() > 0 && !patience.expired()) {
      timer.expires_after(std::chrono::milliseconds(5));
      (void)co_await timer.async_wait(use_ec);
    }
    Status closed = co_await mount_.close();
    co_await mount_.leases.stop();
    loops_->cancel();
    co_await loops_->join();
    co_return closed;
  }

  Runtime& runtime_;
  pthread_t waiter_{};  // the thread in run()
  ops::Mount mount_;
  Dispatch dispatch_;
  std::optional<FuseCache> cache_;
  std::optional<CoreFollower> core_;
  std::optional<TaskScope> loops_;
};

Session::Session(Runtime& runtime, ops::Mount::Cluster cluster, fs::Options options)
    : impl_(std::make_unique<Impl>(runtime, cluster, std::move(options))) {}
Session::~Session() = default;
Status Session::run(SessionOptions options) { return impl_->run(std::move(options)); }

}  // namespace aisfs::mount
