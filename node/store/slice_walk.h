// SPDX-License-Identifier: MIT
// Slices as files on a mountpath. All block.
#pragma once
#include "node/store/engine.h"
#include "node/store/slices.h"

namespace aisfs::store {

/// The name whose place slices of the content have on a target.
Key home_of_slices(BucketId bucket, BucketName name, const Reference& content);
/// Where a slice lies on a mountpath.
std::string slice_path_of(const Key& home, const Reference& content, unsigned index);

/// Reads what a slice file says at its end. corrupt when it is cut off or contradicts itself.
Result<SliceTail> read_slice_tail(int fd);
/// The same of the `last` bytes of a slice of `size`; nullopt when there are too few of them.
Result<std::optional<SliceTail>> slice_tail_in(std::string_view last, std::uint64_t size);
/// It goes to %bad.
Status set_slice_aside(Mountpath& mountpath, const std::string& path);

/// The slices of a bucket on a mountpath, as Store::slices_on.
Result<SlicePage> page_of_slices(Mountpath& mountpath,
                                 BucketId bucket,
                                 const BucketName& name,
                                 const std::string& after,
                                 std::size_t limit);

/// A slice gets its file on another mountpath, too: durable with the next barrier there. not_found
/// when it is needed no more.
Status copy_slice(const Mountpath& from, Mountpath& to, const std::string& path);

}  // namespace aisfs::store
