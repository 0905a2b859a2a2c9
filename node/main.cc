// SPDX-License-Identifier: MIT
// aisnode: one node of the cluster. Exit status: 0 stopped by a signal, 1 could not start or
// serve, 2 wrong configuration.
#include <malloc.h>

#include <cstdio>

#include "common/config/doc.h"
#include "common/config/file.h"
#include "common/obs/log.h"
#include "node/daemon.h"

extern char** environ;

namespace aisfs::node {
namespace {

/// Takes "NAME VALUE" or "NAME=VALUE" out of the arguments; "" when it is not there.
std::string take_option(std::vector<std::string>& args, const std::string& name) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto at = args.begin() + static_cast<std::ptrdiff_t>(i);
    if (args[i].starts_with(name + "=")) {
      const std::string value = args[i].substr(name.size() + 1);
      args.erase(at);
      return value;
    }
    if (args[i] == name && i + 1 < args.size()) {
      const std::string value = args[i + 1];
      args.erase(at, at + 2);
      return value;
    }
  }
  return {};
}

/// A page of a listing is half a megabyte of objects: the allocator is to keep so much from one to
/// the next, instead of having the kernel clear it each time.
void keep_freed_memory() {
  constexpr int kMapFrom = 1024 * 1024;
  constexpr int kTrimFrom = 4 * 1024 * 1024;  // an arena; there are eight for each processor
  ::mallopt(M_MMAP_THRESHOLD, kMapFrom);
  ::mallopt(M_TRIM_THRESHOLD, kTrimFrom);
}

Status configure(NodeConfig& config, std::vector<std::string> args) {
  if (const auto file = take_option(args, "--config"); !file.empty()) {
    CHECK_OK(config::apply_file(config, file));
  }
  std::vector<std::string> environment;
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
  CHECK_OK(config::apply_environment(config, "AISNODE_", environment));
  TRY(const auto rest, config::apply_arguments(config, args));
  if (!rest.empty()) return Error(Errc::invalid_argument, "unexpected argument: " + rest.front());
  return {};
}

int fail(const Error& error, int status) {
  std::fprintf(stderr, "aisnode: %s\n", error.what().c_str());
  return status;
}

int run(std::vector<std::string> args) {
  NodeConfig config;
  for (const auto& arg : args) {
    if (arg == "--help") {
      std::printf(
          "aisnode [--config FILE] [--SETTING VALUE]...\n"
          "aisnode [--config FILE] [--SETTING VALUE]... --move-map etcd|disk\n%s",
          config::help_text(config).c_str());
      return 0;
    }
    if (arg == "--print-config-doc") {
      std::printf("%s", config::man_table(config).c_str());
      return 0;
    }
  }
  keep_freed_memory();
  const std::string move_to = take_option(args, "--move-map");
  if (!move_to.empty() && move_to != "etcd" && move_to != "disk") {
    return fail(Error(Errc::invalid_argument, "--move-map: expected etcd or disk"), 2);
  }
  if (const auto status = configure(config, args); !status) return fail(status.error(), 2);
  log::Options options;
  options.file = config.log.file();
  options.name = "aisnode";
  if (!log::parse_level(config.log.level(), options.level)) {
    return fail(Error(Errc::invalid_argument, "log.level: expected debug, info, warn or error"), 2);
  }
  log::init(options);
  const auto status = move_to.empty()
                          ? run_node(config)
                          : move_map(config, move_to == "etcd" ? MapPlace::kEtcd : MapPlace::kDisk);
  if (!status) return fail(status.error(), 1);
  return 0;
}

}  // namespace
}  // namespace aisfs::node

int main(int argc, char** argv) {
  return aisfs::node::run({argv + 1, argv + argc});
}
