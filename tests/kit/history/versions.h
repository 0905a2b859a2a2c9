// SPDX-License-Identifier: MIT
#pragma once
#include <span>

#include "tests/kit/history/operation.h"
#include "tests/kit/history/report.h"

namespace aisfs::tests::history {

struct VersionsOptions {
  /// The store shows the versions of tombstones, so that a 404 without one is wrong after any other
  /// version was known. False: a 404 without a version proves nothing.
  bool tombstones = true;
};

/// Whether the versions in the replies order each key's operations as they happened, in
/// O(n log n). It finds most of what check_linearizable finds, in histories of any length, and
/// double use of versions besides. For each key:
///
///  - a mutation that was acknowledged has a higher version than all that was acknowledged, or
///    read, before it began;
///  - a read, a 404 included, has a version not below any that was acknowledged or read before it
///    began; a 404 without a tombstone's version is right only if there is none;
///  - a version has one value, or is a tombstone, whoever sees it, and one mutation;
///  - between the version that a conditional PUT replaced and its own there is no other.
///
/// Replies without a version demand nothing and prove nothing, but for that 404. The first
/// violation of each key is reported.
Report check_versions(std::span<const Operation> operations, VersionsOptions options = {});

}  // namespace aisfs::tests::history
