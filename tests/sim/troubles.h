// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/cluster/nemesis.h"

namespace aisfs::tests::sim {

/// Kinds of trouble that only a simulation can make, beside those of the storms:
///
/// crash      nodes end by kill -9 or a loss of power, some of them, now and then all at once, also
///            in the middle of a change of their disk
/// partition  links are cut, in one direction or both, for up to 14 s
/// link       messages take long, and connections are reset with answers under way
/// clock      wall clocks jump, by up to an hour
/// disk       a disk refuses some or all changes, until an administrator enables it again; for
///            targets with two
/// slow       syncs of all disks take long
///
/// Also pause, members, away, lose and none of make_nemesis.
std::unique_ptr<storm::Nemesis> make_trouble(std::string_view name,
                                             storm::Nodes& nodes,
                                             std::uint64_t seed);
bool is_trouble(std::string_view name);

/// One to three that go together; no bad disks, which need targets of another shape.
std::vector<std::string> draw_troubles(std::uint64_t seed, std::uint32_t copies);

}  // namespace aisfs::tests::sim
