// SPDX-License-Identifier: MIT
#include "aisfs/ops/ops.h"

namespace aisfs::ops {

Task<Result<struct statvfs>> statfs(Mount& mount, Call call) {
  CO_TRY(const Capacity capacity, co_await mount.cluster.objects.capacity(call.context()));
  constexpr std::uint64_t kBlock = 4096;
  struct statvfs st = {};
  st.f_bsize = st.f_frsize = kBlock;
  st.f_blocks = capacity.total_bytes / kBlock;
  st.f_bfree = st.f_bavail = capacity.available_bytes / kBlock;
  st.f_ffree = st.f_favail = capacity.available_bytes / kBlock;
  st.f_files = st.f_ffree + capacity.objects;
  st.f_namemax = 255;
  co_return st;
}

}  // namespace aisfs::ops
