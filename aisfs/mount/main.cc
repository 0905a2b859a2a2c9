// SPDX-License-Identifier: MIT
// aisfs: mounts the buckets of a cluster.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "aisfs/mount/daemon.h"
#include "aisfs/mount/mount_args.h"
#include "aisfs/mount/session.h"
#include "cachefs/names/name_cache.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/obs/log.h"

namespace aisfs::mount {
namespace {

/// Before any thread is started: the session waits for them.
void block_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

std::uint64_t new_session() {
  std::uint64_t id = 0;
  const std::string bytes = random_bytes(sizeof id);
  std::memcpy(&id, bytes.data(), sizeof id);
  return std::max<std::uint64_t>(id, 1);
}

Result<std::unique_ptr<ClusterClient>> connect(Runtime& runtime,
                                               const MountArgs& args,
                                               std::uint64_t session) {
  ClusterClientOptions options{.endpoints = args.endpoints.nodes,
                               .tls = args.endpoints.tls,
                               .ca_file = args.ca_file,
                               .credentials = args.credentials,
                               .operation_timeout = args.options.op_timeout,
                               .lease_session = session};
  return runtime.run_on(0, ClusterClient::connect(runtime, std::move(options)));
}

/// A folder that is missing or not writable is said now, not at the first large write.
Status prepare_cache(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("-o cache_dir=" + folder);
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return errno_error("-o cache_dir=" + folder);
  return {};
}

/// Without it names are asked for once more; a mount is not refused for that.
std::unique_ptr<cachefs::NameCache> open_names(const MountArgs& args, const MapSource& map) {
  const std::string uuid = map.current()->uuid;
  const std::string place = to_hex(xxh3_64(as_bytes(args.mountpoint)));
  cachefs::NameCacheOptions options{.folder = args.options.cache_dir + "/aisfs-names-" +
                                              std::to_string(::geteuid()) + "/" + place,
                                    .cluster_uuid = uuid};
  auto names = cachefs::NameCache::open(std::move(options));
  if (names) return *std::move(names);
  LOG_WARN("names of earlier mounts are not used", "why", names.error().what());
  return nullptr;
}

Status serve(const MountArgs& args, Daemon& daemon) {
  CHECK_OK(prepare_cache(args.options.cache_dir));
  log::Level level{};
  if (!log::parse_level(args.log_level, level)) {
    return Error(Errc::invalid_argument, "-o log_level=: takes debug, info, warn or error");
  }
  log::init({.level = level, .file = args.log_file, .name = "aisfs"});
  Runtime runtime(1);
  runtime.start();
  const std::uint64_t leases = new_session();
  TRY(const auto client, connect(runtime, args, leases));
  const auto names = open_names(args, *client);
  Status done;
  {
    const ops::Mount::Cluster cluster{*client, *client, *client, names.get(), client.get(), leases};
    Session session(runtime, cluster, args.options);
    SessionOptions options{.mountpoint = args.mountpoint, .kernel_options = args.kernel_options};
    options.on_ready = [&daemon] { daemon.ready(); };
    done = session.run(std::move(options));
  }
  client->stop();
  return done;
}

int run(const std::vector<std::string>& argv) {
  auto args = parse_mount_args(argv);
  if (!args) {
    std::fprintf(stderr, "aisfs: %s\n", args.error().what().c_str());
    return 2;
  }
  if (args->help || args->version) {
    std::fputs(args->help ? usage().c_str() : "aisfs 0.1.0\n", stdout);
    return 0;
  }
  args->options.defaults.time_ns = fs::now_ns();
  block_signals();
  auto daemon = args->foreground ? Result<Daemon>(Daemon::foreground()) : Daemon::detach();
  if (!daemon) {
    std::fprintf(stderr, "aisfs: %s\n", daemon.error().what().c_str());
    return 1;
  }
  const Status done = serve(*args, *daemon);
  if (done.ok()) return 0;
  daemon->fail(done.error().what());
  return 1;
}

}  // namespace
}  // namespace aisfs::mount

int main(int argc, char** argv) { return aisfs::mount::run({argv, argv + argc}); }
