// SPDX-License-Identifier: MIT
// Histories as text, so that a failing run becomes a regression file.
//
// The first line is "aisfs-history 1". Lines that are empty or begin with '#' are comments. Any
// other line is an operation:
//
//   INVOKED RETURNED CLIENT KIND KEY OUTCOME [NAME=VALUE]...
//
//   100 140 1 put a/b ok value=7 version=1.2f.3
//   150 180 2 get a/b ok value=7 version=1.2f.3
//   160 - 3 delete a/b unknown
//   190 230 1 put-if-match a/b conflict value=9 if-value=7 if-version=1.2f.3
//   240 250 2 list a/ ok listing=1 after=a/a entries=a/b,a/c last=1
//
//   INVOKED, RETURNED   nanoseconds, decimal; '-' for what never returned
//   CLIENT              decimal
//   KIND                put get delete head put-if-match put-if-absent list
//   KEY                 percent-encoded but for '/'; "" is the empty one (of a list: the prefix)
//   OUTCOME             ok absent conflict unknown failed
//   value, if-value     decimal
//   version, if-version as Version::to_string
//   listing             decimal; the pages of a listing have the same number
//   after, entries      encoded as KEY; entries are separated by commas
//   last                1 on the page that no other follows
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

inline constexpr std::string_view kHistoryHeader = "aisfs-history 1";

/// The operation's line, without its end; also how reports quote an operation.
std::string to_line(const Operation& op);
/// invalid_argument names what is wrong with the line.
Result<Operation> parse_line(std::string_view line);

/// The whole file.
std::string to_text(std::span<const Operation> operations);
/// invalid_argument names the first line that is wrong.
Result<Operations> parse_text(std::string_view text);

Status save(const std::string& path, std::span<const Operation> operations);
Result<Operations> load(const std::string& path);

/// The bytes of a file.
Result<std::string> read_text(const std::string& path);

}  // namespace aisfs::tests::history
