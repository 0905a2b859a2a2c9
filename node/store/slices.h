// SPDX-License-Identifier: MIT
// What a target has of objects that lie in slices.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/async/byte_stream.h"
#include "node/store/slice_file.h"

namespace aisfs::store {

/// A slice that is read.
struct OpenSlice {
  SliceTail tail;
  std::unique_ptr<BodySource> body;  // its blocks, from where it was asked for
};

/// A slice that lies here.
struct HeldSlice {
  Reference content;
  std::uint8_t index = 0;
  std::uint64_t bytes = 0;  // of the file

  bool operator==(const HeldSlice&) const = default;
  template <class A>
  void serialize(A& ar) {
    ar(content, index, bytes);
  }
};

struct SlicePage {
  std::vector<HeldSlice> slices;
  bool more = false;
  std::string next;  // pass as `after`
};

}  // namespace aisfs::store
