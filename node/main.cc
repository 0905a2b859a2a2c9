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

/// Takes "--config FILE" or "--config=FILE" out of the arguments.
std::string take_config_file(std::vector<std::string>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].starts_with("--config=")) {
      const std::string file = args[i].substr(9);
      args.erase(args.begin() + static_cast<std::ptrdiff_t>(i));
      return file;
    }
    if (args[i] == "--config" && i + 1 < args.size()) {
      const std::string file = args[i + 1];
      const auto at = args.begin() + static_cast<std::ptrdiff_t>(i);
      args.erase(at, at + 2);
      return file;
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
  if (const auto file = take_config_file(args); !file.empty()) {
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

int run(const std::vector<std::string>& args) {
  NodeConfig config;
  for (const auto& arg : args) {
    if (arg == "--help") {
      std::printf("aisnode [--config FILE] [--SETTING VALUE]...\n%s", config::help_text(config).c_str());
      return 0;
    }
    if (arg == "--print-config-doc") {
      std::printf("%s", config::man_table(config).c_str());
      return 0;
    }
  }
  keep_freed_memory();
  if (const auto status = configure(config, args); !status) return fail(status.error(), 2);
  log::Options options;
  options.file = config.log.file();
  options.name = "aisnode";
  if (!log::parse_level(config.log.level(), options.level)) {
    return fail(Error(Errc::invalid_argument, "log.level: expected debug, info, warn or error"), 2);
  }
  log::init(options);
  if (const auto status = run_node(config); !status) return fail(status.error(), 1);
  return 0;
}

}  // namespace
}  // namespace aisfs::node

int main(int argc, char** argv) {
  return aisfs::node::run({argv + 1, argv + argc});
}
