// SPDX-License-Identifier: MIT
// One answer from the answers of all targets. Pure.
#pragma once
#include <string>
#include <vector>

#include "common/client/object_api.h"

namespace aisfs {

/// A text that is greater than every key with this prefix and less than every later key: what to
/// pass as `after` to go on behind a common prefix.
std::string after_prefix(std::string_view prefix);

/// Merges the pages that all targets gave for the same options. A name is in the result only when
/// every target has listed up to it, so nothing is left out; equal common prefixes become one, and of
/// an object that two targets have the newer one counts.
ListPage merge_pages(std::vector<ListPage> pages, std::uint32_t limit);

/// How many entries to ask each of `parts` for when `wanted` are needed of them together and names
/// are spread evenly: its share and a little more, so that the rest is seldom worth a second round.
/// Asking each for all of them reads and throws away parts - 1 of parts.
std::uint32_t share_of(std::uint32_t wanted, std::size_t parts);

/// Puts the next page of the same listing behind what is there.
void append(ListPage& whole, ListPage next);

/// A directory beats a file, a marker beats an implied directory.
LookupReply merge_lookups(std::vector<LookupReply> replies);

Capacity merge_capacities(const std::vector<Capacity>& shares);

UploadList merge_uploads(std::vector<UploadList> lists, std::uint32_t limit);

}  // namespace aisfs
