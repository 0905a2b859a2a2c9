// SPDX-License-Identifier: MIT
#include "aisfs/read/readahead_advisor.h"

#include <algorithm>

namespace aisfs::read {

ByteRange ReadaheadAdvisor::on_read(ByteRange read) {
  const std::uint64_t end = read.offset + read.length;
  const std::uint64_t slack = window_ > 0 ? kSlack : 0;
  const bool near = read.offset <= expected_ + slack && end + slack >= expected_;
  if (near) {
    jumps_ = 0;
    window_ = std::clamp(window_ * 2, kFirstWindow, window_max_);
    expected_ = std::max(expected_, end);
  } else {
    window_ = ++jumps_ > 1 ? 0 : window_ / 2;
    expected_ = end;
  }
  return {read.offset, window_ == 0 ? 0 : read.length + window_};
}

}  // namespace aisfs::read
