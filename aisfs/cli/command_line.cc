// SPDX-License-Identifier: MIT
#include "aisfs/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "common/base/text.h"

namespace aisfs::cli {

Command& Command::sub(std::string name, std::string doc) {
  CLI::App* app = app_.add_subcommand(name, std::move(doc));
  app->fallthrough();  // options of the program may follow the command
  subs_.push_back(std::unique_ptr<Command>(new Command(*app, std::move(name))));
  app_.require_subcommand(1);
  return *subs_.back();
}

void Command::flag(const std::string& names, bool& into, const std::string& doc) {
  app_.add_flag(names, into, doc);
  remember(names);
}

void Command::option(const std::string& names,
                     std::string& into,
                     const std::string& value,
                     const std::string& doc) {
  app_.add_option(names, into, doc)->type_name(value);
  remember(names);
}

void Command::number(const std::string& names,
                     std::uint64_t& into,
                     const std::string& value,
                     const std::string& doc) {
  app_.add_option(names, into, doc)->type_name(value)->capture_default_str();
  remember(names);
}

void Command::word(
    const std::string& name, std::string& into, Names names, Need need, const std::string& doc) {
  auto* option = app_.add_option(name, into, doc)->type_name("");
  if (need == Need::kRequired) option->required();
  positional_.push_back(names);
}

void Command::words(const std::string& name,
                    std::vector<std::string>& into,
                    Names names,
                    const std::string& doc) {
  app_.add_option(name, into, doc)->type_name("")->required();
  positional_.push_back(names);
}

void Command::examples(const std::string& text) { app_.footer("Examples:\n" + text); }

void Command::hide() {
  app_.group("");
  hidden_ = true;
}

void Command::action(Action action, Cluster cluster) {
  action_ = std::move(action);
  cluster_ = cluster;
}

void Command::remember(const std::string& names) {
  for (std::string_view name : split(names, ',')) {
    if (name.starts_with("--")) long_options_.emplace_back(name);
  }
}

const Command* Command::chosen() const {
  for (const auto& sub : subs_) {
    if (sub->app_.parsed()) return sub->chosen();
  }
  return this;
}

CommandLine::CommandLine(std::string name, std::string doc)
    : app_(std::make_unique<CLI::App>(std::move(doc), name)), root_(new Command(*app_, name)) {
  app_->set_help_all_flag("--help-all", "Help of every command");
  app_->set_version_flag("--version", name + " " AISFS_VERSION);
  app_->get_formatter()->column_width(32);
}
CommandLine::~CommandLine() = default;

Parsed CommandLine::parse(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app_->parse(arguments);
  } catch (const CLI::ParseError& e) {
    std::ostringstream out, err;
    const int status = app_->exit(e, out, err);
    return {{}, {}, out.str() + err.str(), status == 0 ? 0 : 2};
  }
  const Command* command = root_->chosen();
  return {command->action_, command->cluster_, {}, 0};
}

}  // namespace aisfs::cli
