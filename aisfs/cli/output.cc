// SPDX-License-Identifier: MIT
#include "aisfs/cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>

#include "common/base/text.h"

namespace aisfs::cli {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

void write_to(std::FILE* file, std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), file);
  std::fflush(file);
}

bool wants_colours() {
  const char* term = std::getenv("TERM");
  const char* refused = std::getenv("NO_COLOR");
  return term != nullptr && std::string_view(term) != "dumb" &&
         (refused == nullptr || *refused == '\0');
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Output::Output(OutputOptions options, Sink out, Sink err)
    : options_(options), out_(std::move(out)), err_(std::move(err)) {}

Output Output::of_process() {
  OutputOptions options;
  options.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  options.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  options.colours = wants_colours();
  options.columns = terminal_columns();
  return Output(
      options, [](std::string_view bytes) { write_to(stdout, bytes); },
      [](std::string_view bytes) { write_to(stderr, bytes); });
}

void Output::table(Table& table) {
  const bool bold = options_.colours && options_.out_is_terminal;
  out_(table.take_text(bold ? Table::Style::kBoldTitles : Table::Style::kPlain));
}

void Output::json_line(const Json& value) { out_(boost::json::serialize(value) + "\n"); }

void Output::note(std::string_view text) {
  if (options_.json) return;
  clear_progress();
  err_(std::string(text) + "\n");
}

void Output::ask(std::string_view question) {
  clear_progress();
  err_(std::string(question) + "\n");
}

void Output::progress(std::string_view line) {
  if (!options_.err_is_terminal || options_.json) return;
  err_(std::string(kClearLine) + std::string(line));
  progress_shown_ = true;
}

void Output::clear_progress() {
  if (progress_shown_) err_(kClearLine);
  progress_shown_ = false;
}

void Output::error(const Error& error) {
  clear_progress();
  const bool red = options_.colours && options_.err_is_terminal;
  const std::string what =
      error.what().empty() ? std::string(info(error.code()).name) : error.what();
  err_(std::string(red ? "\x1b[31merror:\x1b[0m " : "error: ") + printable(what) + "\n");
  const std::string_view remedy = remedy_of(error);
  if (!remedy.empty()) err_("  remedy: " + std::string(remedy) + "\n");
}

void Output::done(std::string_view sentence, const Json& value) {
  if (options_.json) return json_line(value);
  line(printable(sentence));
}

std::string_view remedy_of(const Error& error) {
  if (error.what().find("certificate verify failed") != std::string::npos) {
    return "name the authority that signed it: --ca FILE or AIS_CA";
  }
  switch (error.code()) {
    case Errc::unauthenticated:
      return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AIS_AUTHN_TOKEN; in a "
             "playground: "
             "eval \"$(deploy/playground env)\"";
    case Errc::permission_denied:
      return "ask the owner of the bucket, or use an administrator's keys";
    case Errc::unreachable:
      return "check AIS_ENDPOINT or --endpoint, and that the cluster runs: ais wait";
    case Errc::not_ready:
      return "the cluster is starting or a node is away: ais wait; ais show cluster";
    case Errc::timed_out:
      return "give it more time by --timeout or --for; ais show cluster";
    case Errc::not_empty:
      return "remove the contents first, or ais rmb --force";
    case Errc::cross_device:
      return "copy with ais cp, then remove with ais rm";
    case Errc::no_space:
      return "add disks or delete something; ais show cluster";
    default:
      return {};
  }
}

int exit_status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::name_too_long:
      return 2;
    case Errc::not_found:
    case Errc::no_attribute:
      return 3;
    case Errc::unauthenticated:
    case Errc::permission_denied:
    case Errc::not_permitted:
    case Errc::read_only:
      return 4;
    case Errc::unreachable:
    case Errc::not_ready:
    case Errc::timed_out:
    case Errc::overloaded:
      return 5;
    case Errc::already_exists:
    case Errc::not_empty:
    case Errc::precondition_failed:
    case Errc::busy:
      return 6;
    case Errc::cancelled:
      return 130;
    default:
      return 1;
  }
}

void put_name(JsonObject& object, std::string_view field, std::string_view name) {
  if (is_utf8(name)) {
    object[field] = name;
    return;
  }
  object[field] = printable(name);
  object[std::string(field) + "_base64"] = to_base64(as_bytes(name));
}

}  // namespace aisfs::cli
