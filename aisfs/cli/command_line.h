// SPDX-License-Identifier: MIT
// The words that `ais` understands, declared once: parsing, --help and completion read the same
// declarations. command_line.cc is the only file that sees CLI11.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aisfs/cli/session.h"

namespace CLI {
class App;
}

namespace aisfs::cli {

/// What a word on the command line names, for completion.
enum class Names : std::uint8_t {
  kText,
  kLocalPath,
  kBucket,
  kObject,
  kNode,
  kJob,      // by its id or its kind
  kJobKind,  // that can be started
};

using Action = std::function<Task<Status>(Session&)>;

/// One command or group of commands. The variables that options write to must outlive parsing:
/// commands keep them in a struct that their action shares.
class Command {
 public:
  Command& sub(std::string name, std::string doc);

  void flag(const std::string& names, bool& into, const std::string& doc);
  void option(const std::string& names,
              std::string& into,
              const std::string& value,
              const std::string& doc);
  void number(const std::string& names,
              std::uint64_t& into,
              const std::string& value,
              const std::string& doc);

  enum class Need : std::uint8_t { kRequired, kOptional };
  void word(
      const std::string& name, std::string& into, Names names, Need need, const std::string& doc);
  /// One or more words, to the end of the line.
  void words(const std::string& name,
             std::vector<std::string>& into,
             Names names,
             const std::string& doc);

  /// Shown at the end of --help, a command a line.
  void examples(const std::string& text);
  void hide();

  enum class Cluster : std::uint8_t { kNeeded, kNotNeeded };
  void action(Action action, Cluster cluster = Cluster::kNeeded);

  // --- for completion --------------------------------------------------------------------------
  const std::vector<std::unique_ptr<Command>>& subs() const { return subs_; }
  const std::string& name() const { return name_; }
  const std::vector<std::string>& long_options() const { return long_options_; }
  const std::vector<Names>& positional() const { return positional_; }
  bool hidden() const { return hidden_; }

 private:
  friend class CommandLine;
  Command(CLI::App& app, std::string name) : app_(app), name_(std::move(name)) {}

  void remember(const std::string& names);
  const Command* chosen() const;

  CLI::App& app_;
  std::string name_;
  std::vector<std::unique_ptr<Command>> subs_;
  std::vector<std::string> long_options_;
  std::vector<Names> positional_;
  Action action_;
  Cluster cluster_ = Cluster::kNeeded;
  bool hidden_ = false;
};

/// What is to be done, or what to print instead (help, version, a usage error).
struct Parsed {
  Action action;
  Command::Cluster cluster = Command::Cluster::kNeeded;
  std::string text;  // set when there is no action
  int status = 0;
};

class CommandLine {
 public:
  CommandLine(std::string name, std::string doc);
  ~CommandLine();

  Command& root() { return *root_; }
  /// `arguments` without the program's name. Writes the variables of the options.
  Parsed parse(std::vector<std::string> arguments);

 private:
  std::unique_ptr<CLI::App> app_;
  std::unique_ptr<Command> root_;
};

}  // namespace aisfs::cli
