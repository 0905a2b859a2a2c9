// SPDX-License-Identifier: MIT
// fake_mount DIR [BUCKET...]: mounts an in-memory cluster, for trying tools on the mount alone.
// FAKE_LATENCY_US makes every request of the cluster take that long; calls are counted at the end.
#include <cstdio>
#include <cstdlib>

#include <signal.h>

#include "aisfs/mount/session.h"
#include "common/obs/log.h"
#include "tests/kit/fake_cluster.h"

int main(int argc, char** argv) {
  using namespace aisfs;
  if (argc < 2) return std::fprintf(stderr, "usage: fake_mount DIR [BUCKET...]\n"), 2;
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  log::init({.level = log::Level::kInfo, .name = "fake_mount"});
  tests::FakeCluster cluster;
  for (int i = 2; i < argc; ++i) cluster.add_bucket(argv[i]);
  if (const char* us = std::getenv("FAKE_LATENCY_US")) {
    cluster.set_latency(std::chrono::microseconds(std::atoi(us)));
  }
  Runtime runtime(1);
  runtime.start();
  mount::Session session(runtime, {cluster, cluster, cluster}, {});
  const Status done = session.run(
      {.mountpoint = argv[1], .kernel_options = {"default_permissions", "allow_other", "subtype=aisfs"}});
  for (const auto& [operation, count] : cluster.all_calls()) {
    std::printf("%-14s %llu\n", operation.c_str(), static_cast<unsigned long long>(count));
  }
  if (!done) std::fprintf(stderr, "%s\n", done.error().what().c_str());
  return done.ok() ? 0 : 1;
}
