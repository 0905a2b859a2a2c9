// SPDX-License-Identifier: MIT
// What one target asks of the others about objects that lie in slices (slicer.h).
#pragma once
#include <string>
#include <vector>

#include "common/client/object_api.h"
#include "node/store/slices.h"

namespace aisfs::target {

/// What an owner says of a slice that somebody has.
enum class SliceVerdict : std::uint8_t {
  kNeeded = 0,
  kNeedless = 1,
  kTooYoung = 2,  // no name refers to it, or not yet
};

/// As Peers: `node` is a target's id, calls with the node's own id are served by itself, and errors
/// beside those named are unreachable, timed_out and stale_map.
class SlicePeers {
 public:
  virtual ~SlicePeers() = default;

  /// By the owner of the name: as Store::put_slice.
  virtual Task<Status> put_slice(Context context,
                                 std::string node,
                                 BucketName bucket,
                                 store::Reference content,
                                 unsigned index,
                                 Durability level,
                                 BodySource& body) = 0;
  /// As Store::slices_here.
  virtual Task<Result<std::vector<ec::SliceSet>>> slices_at(
      Context context,
      std::string node,
      BucketName bucket,
      std::vector<store::Reference> contents) = 0;
  /// As Store::open_slice.
  virtual Task<Result<store::OpenSlice>> open_slice(Context context,
                                                    std::string node,
                                                    BucketName bucket,
                                                    store::Reference content,
                                                    ec::SliceSet wanted,
                                                    ByteRange range) = 0;
  /// By the owner of the name: as Store::drop_slices.
  virtual Task<Status> drop_slices(Context context,
                                   std::string node,
                                   BucketName bucket,
                                   store::Reference content,
                                   ec::SliceSet slices) = 0;
  /// To the owner of names that `from` has slices of: one answer for each.
  virtual Task<Result<std::vector<SliceVerdict>>> judge_slices(
      Context context,
      std::string node,
      BucketName bucket,
      std::string from,
      std::vector<store::HeldSlice> slices) = 0;
  /// To the owner of names, by one who has lost slices of them: he looks at them soon. No keys: a
  /// disk has gone with whatever was on it, and all look at all that they have (restorer.h).
  virtual Task<Status> miss_slices(Context context,
                                   std::string node,
                                   BucketName bucket,
                                   std::vector<std::string> keys) = 0;
};

}  // namespace aisfs::target
