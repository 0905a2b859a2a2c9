// SPDX-License-Identifier: MIT
#include "aisfs/cli/app.h"

#include <boost/asio/signal_set.hpp>
#include <iostream>

#include "aisfs/cli/commands/commands.h"
#include "aisfs/cli/units.h"
#include "common/async/scope.h"

namespace aisfs::cli {
namespace {

constexpr std::string_view kDefaultEndpoint = "http://127.0.0.1:21080";
constexpr std::size_t kFileThreads = 4;

struct GlobalWords {
  std::string endpoint;
  std::string ca_file;
  std::string timeout = "30s";
  bool json = false;
  bool no_colour = false;
};

void declare_globals(Command& root, GlobalWords& words) {
  root.option("--endpoint", words.endpoint, "URL", "Any node of the cluster (AIS_ENDPOINT)");
  root.option("--ca", words.ca_file, "FILE", "PEM file to check an https endpoint by (AIS_CA)");
  root.option("--timeout", words.timeout, "TIME", "Longest wait for one operation (30s)");
  root.flag("--json", words.json, "Results as JSON, for programs");
  root.flag("--no-color", words.no_colour, "No colours (NO_COLOR)");
  root.examples(
      "  ais ls                                   # buckets\n"
      "  ais put -r photos ais://demo/2026\n"
      "  ais get ais://demo/2026/a.jpg\n"
      "  eval \"$(ais completion bash)\"\n\n"
      "Keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AIS_AUTHN_TOKEN, or "
      "~/.config/aisfs/keys.\n"
      "Manual: man ais");
}

Result<GlobalOptions> globals_of(const GlobalWords& words, const Environment& environment) {
  GlobalOptions options{.endpoint = words.endpoint};
  if (options.endpoint.empty()) options.endpoint = environment("AIS_ENDPOINT");
  if (options.endpoint.empty()) options.endpoint = kDefaultEndpoint;
  if (!words.ca_file.empty() && !options.endpoint.starts_with("https://")) {
    return Error(Errc::invalid_argument, "--ca is for https://, not for " + options.endpoint);
  }
  options.ca_file = words.ca_file.empty() ? environment("AIS_CA") : words.ca_file;
  TRY(options.timeout, parse_duration(words.timeout));
  return options;
}

Task<Status> run_action(Session& session, const Parsed& parsed) {
  if (parsed.cluster == Command::Cluster::kNeeded) {
    CO_TRY(session.link, co_await session.connect(session.options));
  }
  Status done = co_await parsed.action(session);
  co_return done;
}

/// Runs the command; an interrupt from the keyboard cancels it.
Task<Status> run_interruptibly(Session& session, const Parsed& parsed) {
  const auto executor = co_await asio::this_coro::executor;
  Status result = Error(Errc::cancelled, "interrupted");
  TaskScope scope(executor);
  asio::signal_set signals(executor, SIGINT, SIGTERM);
  // The handler may still be queued when the command is over; then there is nothing to cancel.
  auto running = std::make_shared<bool>(true);
  signals.async_wait([running, &scope, &signals](boost::system::error_code ec, int) {
    if (ec || !*running) return;
    scope.cancel();
    signals.clear();  // a second one ends the program at once
  });
  auto run = [](Session& s, const Parsed& p, Status& out, asio::signal_set& wait) -> Task<void> {
    out = co_await run_action(s, p);
    wait.cancel();
  };
  scope.spawn(run(session, parsed, result, signals));
  try {
    co_await scope.join();
  } catch (const boost::system::system_error&) {  // how a cancelled coroutine unwinds
  }
  *running = false;
  co_return result;
}

}  // namespace

ReadLine read_line_of_process() {
  return []() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  };
}

int run_ais(std::vector<std::string> arguments,
            Runtime& runtime,
            Output& out,
            const Environment& environment,
            Connect connect,
            ReadLine read_line) {
  CommandLine line("ais", "Buckets, objects, users and the state of an aisfs cluster.");
  GlobalWords words;
  declare_globals(line.root(), words);
  add_all(line.root());
  const bool quiet = !arguments.empty() && arguments.front() == "__complete";
  const Parsed parsed = line.parse(std::move(arguments));
  if (!parsed.action) {
    if (parsed.status == 0)
      out.raw(parsed.text);
    else if (!quiet)
      out.usage_error(parsed.text);
    return parsed.status;
  }

  out.options().json = words.json;
  if (words.no_colour) out.options().colours = false;
  auto options = globals_of(words, environment);
  asio::thread_pool files(kFileThreads);
  Status done;
  if (options) {
    Session session(*options, out, std::move(connect), files, std::move(read_line));
    done = runtime.run_on(0, run_interruptibly(session, parsed));
    if (session.link) session.link->stop();
  } else {
    done = std::move(options).error();
  }
  files.join();
  if (done) return 0;
  if (!quiet) out.error(done.error());
  return exit_status_of(done.error().code());
}

}  // namespace aisfs::cli
