// SPDX-License-Identifier: MIT
#pragma once
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "aisfs/cli/table.h"
#include "common/base/result.h"

namespace aisfs::cli {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

struct OutputOptions {
  bool json = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colours = false;
  std::size_t columns = 80;  // of the terminal behind err
};

/// Where a command's results and remarks go. Results to `out` and nothing else, so that they can
/// be piped; remarks, progress and errors to `err`. One thread at a time.
class Output {
 public:
  using Sink = std::function<void(std::string_view)>;

  Output(OutputOptions options, Sink out, Sink err);

  /// Of the process: stdout and stderr, what they are, NO_COLOR, the width of the terminal.
  static Output of_process();

  OutputOptions& options() { return options_; }
  bool json() const { return options_.json; }

  /// Bytes of a result, as they are.
  void raw(std::string_view bytes) { out_(bytes); }
  void line(std::string_view text) { out_(std::string(text) + "\n"); }
  /// What is in the table now; bold titles on a terminal.
  void table(Table& table);
  void json_line(const Json& value);
  /// A remark for people; left out with --json.
  void note(std::string_view text);
  /// A question to the user, who answers on the next line; with --json too.
  void ask(std::string_view question);
  /// Replaces the line that the cursor is on; only on a terminal.
  void progress(std::string_view line);
  void clear_progress();
  /// "error: ..." and, if there is one, "  remedy: ...".
  void error(const Error& error);
  /// What the parser says of a wrong command line.
  void usage_error(std::string_view text) { err_(text); }

  /// A result that is one sentence for people and one object for programs.
  void done(std::string_view sentence, const Json& value);

 private:
  OutputOptions options_;
  Sink out_;
  Sink err_;
  bool progress_shown_ = false;
};

/// What a user can do about it; "" when the error says it all.
std::string_view remedy_of(const Error& error);

/// The exit status of a failed command; ais(1) lists them.
int exit_status_of(Errc code);

/// Puts a name into an object: as it is, and as base64 too when it is not UTF-8.
void put_name(JsonObject& object, std::string_view field, std::string_view name);

}  // namespace aisfs::cli
