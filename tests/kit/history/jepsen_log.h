// SPDX-License-Identifier: MIT
// Logs of Jepsen's test of a register in etcd, to try the checker on histories of others:
//
//   INFO  jepsen.util - 3  :invoke  :cas  [1 2]
//   INFO  jepsen.util - 3  :ok  :cas  [1 2]
//
// PROCESS, then :invoke, :ok, :fail or :info, then :read, :write or :cas, then what was or is to
// be read, written ("nil" or a number) or compared and set; blanks between them. Lines that are not
// a process's are skipped.
#pragma once
#include <string_view>

#include "common/base/result.h"
#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

/// True if the text looks like such a log.
bool is_jepsen_log(std::string_view text);

/// The operations, on one key, with line numbers for times. The value n of the log is n + 1 here,
/// since zero is absence; they are not unique. A refused :cas is a conflict; :info, and no line at
/// all, mean unknown. invalid_argument for an invocation of anything else, and for an end without
/// one.
Result<Operations> parse_jepsen_log(std::string_view text);

}  // namespace aisfs::tests::history
