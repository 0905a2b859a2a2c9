// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/client/transport.h"
#include "node/target/slice_peers.h"

namespace aisfs::target {
class LocalTarget;
}

namespace aisfs::cluster {

/// target::SlicePeers over the data listeners of the other targets. One attempt a call. Thread-safe
/// after attach(); everything outlives it.
class ClusterSlices final : public target::SlicePeers {
 public:
  ClusterSlices(Transport& data, MapSource& maps, std::string node_id)
      : transport_(data), maps_(maps), node_id_(std::move(node_id)) {}

  void attach(target::LocalTarget& self) { self_ = &self; }

  Task<Status> put_slice(Context,
                         std::string node,
                         BucketName,
                         store::Reference,
                         unsigned index,
                         Durability,
                         BodySource&) override;
  Task<Result<std::vector<ec::SliceSet>>> slices_at(Context,
                                                    std::string node,
                                                    BucketName,
                                                    std::vector<store::Reference>) override;
  Task<Result<store::OpenSlice>> open_slice(
      Context, std::string node, BucketName, store::Reference, ec::SliceSet, ByteRange) override;
  Task<Status> drop_slices(
      Context, std::string node, BucketName, store::Reference, ec::SliceSet) override;
  Task<Result<std::vector<target::SliceVerdict>>> judge_slices(Context,
                                               std::string node,
                                               BucketName,
                                               std::string from,
                                               std::vector<store::HeldSlice>) override;
  Task<Status> miss_slices(Context,
                           std::string node,
                           BucketName,
                           std::vector<std::string> keys) override;

 private:
  Result<NodeInfo> find(const std::string& node) const;

  Transport& transport_;
  MapSource& maps_;
  const std::string node_id_;
  target::LocalTarget* self_ = nullptr;
};

}  // namespace aisfs::cluster
