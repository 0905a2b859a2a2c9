// SPDX-License-Identifier: MIT
// The C library's calls that need a disk, in this program: they are counted, and at one of them
// something happens.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace aisfs::tests::points {

enum class Fault : std::uint8_t {
  kNone,
  kKillBefore,  // kill -9 instead of the call
  kKillAfter,   // kill -9 when it is done
  kPowerLoss,   // the file system loses what is not synced, before the call
  kError,       // it fails, and is not made
  kErrors,      // it fails, and all after it that can fail so
};

struct Plan {
  Fault fault = Fault::kNone;
  std::uint64_t at = 0;  // the number of the call, from 1; errors count the calls that can fail so
  int error = 0;         // ENOSPC, EMFILE: of calls that take space or a descriptor; EIO: of any
  int file_system = -1;  // a descriptor on it, for a loss of power
};

/// Begins to count the calls of all threads.
void arm(const Plan& plan);
/// Ends it; how many calls there were.
std::uint64_t disarm();
/// Whether syncs do anything; without a loss of power nobody can tell, and they take most of the
/// time.
void set_syncs(bool real);
/// The call at which it happened: "fdatasync"; empty when none was reached.
std::string_view hit();

}  // namespace aisfs::tests::points
