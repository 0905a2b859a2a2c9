// SPDX-License-Identifier: MIT
// What reading an object from its slices asks of whoever knows where these are.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/base/bytes.h"

namespace aisfs::ec {

/// What is known of a slice before it is read.
enum class Presence : std::uint8_t {
  kThere,     // can be read; what comes is verified
  kVerified,  // can be read, by one who verifies it: a store does with its own files
  kAway,      // its holder does not answer; it may come back
  kLost,      // there is none any more, or none of this version
};

struct SliceState {
  Presence presence = Presence::kAway;
  /// Of a slice that is kThere: hashes of its blocks, one by one. Believed only if the header has
  /// their root. A slice of one block needs none, its root tells enough.
  std::vector<std::uint64_t> block_hashes;
};

/// One of several reads that the reader may do at once.
struct SliceRead {
  unsigned slice = 0;
  std::uint64_t offset = 0;
  MutableBytes into;  // to be filled whole
  Status outcome;     // set by the reader
};

class SliceReader {
 public:
  virtual ~SliceReader() = default;

  /// Carries out all of `reads`, as far as it can at the same time, and sets the outcome of each;
  /// at most D + P, of different slices. They and their memory live until it returns.
  ///
  /// io, corrupt and out_of_range are taken for the fault of one place in the slice, which is read
  /// again further on; not_found and precondition_failed mean that the slice is lost, cancelled
  /// that nobody wants the object any more, and all others that its holder is away.
  virtual Task<void> read(std::span<SliceRead> reads) = 0;

  /// Runs `work`, up to some milliseconds of hashing and decoding, where it holds up nobody, and
  /// returns when it is done.
  virtual Task<void> compute(std::function<void()> work) {
    work();
    co_return;
  }
};

}  // namespace aisfs::ec
