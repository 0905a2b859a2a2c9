// SPDX-License-Identifier: MIT
#include "tests/kit/history/history_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "common/base/text.h"

namespace aisfs::tests::history {
namespace {

// In the order of the enums.
constexpr std::array<std::string_view, 7> kKinds{"put",          "get",           "delete", "head",
                                                 "put-if-match", "put-if-absent", "list"};
constexpr std::array<std::string_view, 5> kOutcomes{"ok", "absent", "conflict", "unknown",
                                                    "failed"};
constexpr std::string_view kEmptyKey = "\"\"";

std::string encode_key(std::string_view key) {
  return key.empty() ? std::string(kEmptyKey) : percent_encode(key, Slash::kKeep);
}

Result<std::string> decode_key(std::string_view text) {
  return text == kEmptyKey ? Result(std::string()) : percent_decode(text);
}

std::string encode_entries(const std::vector<std::string>& entries) {
  std::string text;
  for (const std::string& entry : entries) {
    if (!text.empty()) text += ',';
    text += encode_key(entry);
  }
  return text;
}

Result<std::vector<std::string>> decode_entries(std::string_view text) {
  std::vector<std::string> entries;
  for (std::string_view part : split(text, ',')) {
    TRY(std::string entry, decode_key(part));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Error bad(std::string_view what, std::string_view text) {
  return Error(Errc::invalid_argument, std::string(what) + ": " + std::string(text));
}

Result<std::uint64_t> number(std::string_view text) {
  const auto value = parse_u64(text);
  if (!value) return bad("not a number", text);
  return *value;
}

Result<std::int64_t> time_of(std::string_view text) {
  if (text == "-") return kNever;
  const auto value = parse_i64(text);
  if (!value) return bad("not a time", text);
  return *value;
}

template <class Enum, std::size_t n>
Result<Enum> named(const std::array<std::string_view, n>& names, std::string_view text) {
  const auto at = std::ranges::find(names, text);
  if (at == names.end()) return bad("no such word", text);
  return static_cast<Enum>(at - names.begin());
}

Status set_field(Operation& op, std::string_view name, std::string_view text) {
  if (name == "value" || name == "if-value") {
    TRY(const std::uint64_t id, number(text));
    (name == "value" ? op.value : op.if_value) = ValueId{id};
  } else if (name == "version" || name == "if-version") {
    TRY(const Version version, Version::parse(text));
    (name == "version" ? op.version : op.if_version) = version;
  } else if (name == "listing") {
    TRY(op.listing, number(text));
  } else if (name == "after") {
    TRY(op.after, decode_key(text));
  } else if (name == "entries") {
    TRY(op.entries, decode_entries(text));
  } else if (name == "last" && text == "1") {
    op.last = true;
  } else {
    return bad("no such field", name);
  }
  return {};
}

/// What the checkers rely on.
Status validate(const Operation& op) {
  const bool certain = op.outcome != Outcome::kUnknown;
  if (certain != (op.returned != kNever)) {
    return bad("only what is unknown never returns", kOutcomes[static_cast<int>(op.outcome)]);
  }
  if (op.invoked == kNever) return bad("never began", op.key);
  if (op.returned < op.invoked) return bad("returns before it begins", op.key);
  const bool has_body = op.kind == OpKind::kGet && op.outcome == Outcome::kOk;
  if (has_body && !op.value) return bad("a GET that is ok needs a value", op.key);
  return {};
}

std::string optional_fields(const Operation& op) {
  std::string text;
  if (op.value) text += " value=" + std::to_string(op.value.value);
  if (op.version) text += " version=" + op.version.to_string();
  if (op.if_value) text += " if-value=" + std::to_string(op.if_value.value);
  if (op.if_version) text += " if-version=" + op.if_version.to_string();
  if (op.listing != 0) text += " listing=" + std::to_string(op.listing);
  if (!op.after.empty()) text += " after=" + encode_key(op.after);
  if (!op.entries.empty()) text += " entries=" + encode_entries(op.entries);
  if (op.last) text += " last=1";
  return text;
}

}  // namespace

std::string to_line(const Operation& op) {
  std::string line = std::to_string(op.invoked);
  line += ' ' + (op.returned == kNever ? "-" : std::to_string(op.returned));
  line += ' ' + std::to_string(op.client);
  line += ' ' + std::string(kKinds[static_cast<std::size_t>(op.kind)]);
  line += ' ' + encode_key(op.key);
  line += ' ' + std::string(kOutcomes[static_cast<std::size_t>(op.outcome)]);
  return line + optional_fields(op);
}

Result<Operation> parse_line(std::string_view line) {
  const auto words = split(line, ' ');
  if (words.size() < 6) return bad("an operation has at least six words", line);
  Operation op;
  TRY(op.invoked, time_of(words[0]));
  TRY(op.returned, time_of(words[1]));
  TRY(const std::uint64_t client, number(words[2]));
  op.client = static_cast<std::uint32_t>(client);
  TRY(op.kind, named<OpKind>(kKinds, words[3]));
  TRY(op.key, decode_key(words[4]));
  TRY(op.outcome, named<Outcome>(kOutcomes, words[5]));
  for (std::size_t i = 6; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    if (equals == std::string_view::npos) return bad("not NAME=VALUE", words[i]);
    CHECK_OK(set_field(op, words[i].substr(0, equals), words[i].substr(equals + 1)));
  }
  CHECK_OK(validate(op));
  return op;
}

std::string to_text(std::span<const Operation> operations) {
  std::string text(kHistoryHeader);
  text += '\n';
  for (const Operation& op : operations) text += to_line(op) + '\n';
  return text;
}

Result<Operations> parse_text(std::string_view text) {
  const auto lines = split(text, '\n');
  if (lines.empty() || lines[0] != kHistoryHeader) {
    return bad("line 1 is not", kHistoryHeader);
  }
  Operations operations;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].starts_with('#')) continue;
    auto op = parse_line(lines[i]);
    if (!op) return std::move(op).error().context("line " + std::to_string(i + 1));
    operations.push_back(*std::move(op));
  }
  return operations;
}

Status save(const std::string& path, std::span<const Operation> operations) {
  std::ofstream file(path, std::ios::binary);
  file << to_text(operations) << std::flush;
  if (!file) return errno_error("write " + path);
  return {};
}

Result<Operations> load(const std::string& path) {
  TRY(const std::string text, read_text(path));
  auto operations = parse_text(text);
  if (!operations) return std::move(operations).error().context(path);
  return operations;
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_error("open " + path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return errno_error("read " + path);
  return text;
}

}  // namespace aisfs::tests::history
