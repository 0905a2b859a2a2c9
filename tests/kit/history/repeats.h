// SPDX-License-Identifier: MIT
#pragma once
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/kit/history/operation.h"
#include "tests/kit/history/report.h"

namespace aisfs::tests::history {

/// Takes out of a report of check_linearizable those violations that are explained when one or two
/// of the requests in `repeatable` took effect twice while they were under way; the keys of these.
///
/// A PUT or DELETE without conditions is sent again when the answer to it is lost, by the client
/// and by a node that passes it on. If others have changed the name in between, a second that took
/// effect would undo what they did, though not before the requester hears of success.
std::vector<std::string> take_out_repeats(std::span<const Operation> operations,
                                          const std::set<std::size_t>& repeatable,
                                          Report& report);

}  // namespace aisfs::tests::history
