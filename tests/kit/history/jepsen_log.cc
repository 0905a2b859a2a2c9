// SPDX-License-Identifier: MIT
#include "tests/kit/history/jepsen_log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/text.h"

namespace aisfs::tests::history {
namespace {

constexpr std::string_view kPrefix = "INFO  jepsen.util - ";

struct Line {
  std::uint32_t process = 0;
  std::string_view type, function, argument;
};

/// Cuts the first word off.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

/// Nothing for a line that is not a process's.
std::optional<Line> parse_line(std::string_view text) {
  if (!text.starts_with(kPrefix)) return {};
  text.remove_prefix(kPrefix.size());
  const auto process = parse_u64(take_word(text));
  if (!process) return {};
  Line line{.process = static_cast<std::uint32_t>(*process)};
  line.type = take_word(text);
  line.function = take_word(text);
  line.argument = text;
  return line;
}

/// Zero for "nil", nullopt for what is no value.
std::optional<ValueId> parse_value(std::string_view text) {
  if (text == "nil") return ValueId{};
  const auto number = parse_u64(text);
  if (!number) return {};
  return ValueId{*number + 1};
}

/// "[1 2]"
std::optional<std::pair<ValueId, ValueId>> parse_pair(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return {};
  const auto parts = split(text.substr(1, text.size() - 2), ' ');
  if (parts.size() != 2) return {};
  const auto from = parse_value(parts[0]), to = parse_value(parts[1]);
  if (!from || !to) return {};
  return std::pair(*from, *to);
}

std::optional<Operation> invocation(const Line& line) {
  Operation op{.client = line.process, .key = "register"};
  if (line.function == ":read") return op;
  if (line.function == ":write") {
    const auto value = parse_value(line.argument);
    if (!value) return {};
    op.kind = OpKind::kPut;
    op.value = *value;
    return op;
  }
  const auto pair = parse_pair(line.argument);
  if (line.function != ":cas" || !pair) return {};
  op.kind = OpKind::kPutIfMatch;
  op.if_value = pair->first;
  op.value = pair->second;
  return op;
}

/// :info, and what cannot be read, leave the operation unknown.
void end_operation(Operation& op, const Line& line, std::int64_t now) {
  const bool is_read = op.kind == OpKind::kGet;
  const auto seen = parse_value(line.argument);
  if (line.type == ":ok" && is_read && seen) {
    op.value = *seen;
    op.outcome = *seen ? Outcome::kOk : Outcome::kAbsent;
  } else if (line.type == ":ok" && !is_read) {
    op.outcome = Outcome::kOk;
  } else if (line.type == ":fail") {
    const bool refused = op.kind == OpKind::kPutIfMatch && parse_pair(line.argument);
    op.outcome = refused ? Outcome::kConflict : Outcome::kFailed;
  } else {
    return;
  }
  op.returned = now;
}

}  // namespace

bool is_jepsen_log(std::string_view text) { return text.starts_with(kPrefix); }

Result<Operations> parse_jepsen_log(std::string_view text) {
  Operations operations;
  std::map<std::uint32_t, std::size_t> open;  // process -> its operation
  std::int64_t now = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++now;
    const auto line = parse_line(raw);
    if (!line) continue;
    if (line->type == ":invoke") {
      auto op = invocation(*line);
      if (!op)
        return Error(Errc::invalid_argument,
                     "line " + std::to_string(now) + " invokes nothing known");
      op->invoked = now;
      open[line->process] = operations.size();
      operations.push_back(*std::move(op));
      continue;
    }
    const auto begun = open.find(line->process);
    if (begun == open.end()) {
      return Error(Errc::invalid_argument, "line " + std::to_string(now) + " ends nothing");
    }
    end_operation(operations[begun->second], *line, now);
    open.erase(begun);
  }
  return operations;
}

}  // namespace aisfs::tests::history
