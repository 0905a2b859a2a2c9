// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/client/transport.h"
#include "node/front/cluster/cluster_slices.h"
#include "node/target/local_target.h"
#include "node/target/peers.h"

namespace aisfs::cluster {

/// target::Peers over the data listeners of the other targets. One attempt a call.
///
/// A target needs its peers, the Router needs the target, the peers need both: hence attach(),
/// once, before the first call. Thread-safe after that; everything outlives it.
class ClusterPeers final : public target::Peers {
 public:
  /// `data` and `control` reach the listeners of those names.
  ClusterPeers(Transport& data, Transport& control, MapSource& maps, std::string node_id)
      : transport_(data),
        control_(control),
        maps_(maps),
        node_id_(std::move(node_id)),
        slices_(data, maps, node_id_) {}

  void attach(ObjectApi& cluster, ObjectApi& places, target::LocalTarget& self) {
    cluster_ = &cluster;
    places_ = &places;
    self_ = &self;
    slices_.attach(self);
  }

  ObjectApi& cluster() override { return *cluster_; }
  ObjectApi& places() override { return *places_; }
  target::SlicePeers& slices() override { return slices_; }
  Task<Status> rename_prefix(Context, BucketId, std::string from, std::string to) override;
  Task<Status> allow_implied_dirs(Context, BucketId) override;
  Task<Status> end_mapping(Context, PrefixMapping) override;
  Task<Result<Version>> prepare_rename(Context, std::string node, target::RenamePrepare) override;
  Task<Result<ObjectInfo>> finish_rename(Context,
                                         std::string node,
                                         std::string op_id,
                                         target::RenameState) override;
  Task<Result<target::RenameState>> rename_state(Context,
                                                 std::string node,
                                                 std::string op_id) override;
  Task<Status> close_dir(Context, std::string node, BucketName, std::string marker) override;
  Task<Status> check_dir(Context, std::string node, BucketName, std::string marker) override;
  Task<Result<ObjectStream>> open_content(
      Context, std::string node, BucketName, store::Reference, ByteRange) override;
  Task<Status> drop_content(Context, std::string node, BucketName, store::Reference) override;
  Task<Result<std::vector<store::NameState>>> name_states(Context,
                                                          std::string node,
                                                          BucketName,
                                                          std::string key) override;
  Task<Result<target::NameThere>> find_name(Context,
                                            std::string node,
                                            BucketName,
                                            std::string key) override;
  Task<Result<store::ObjectCopy>> fetch_copy(Context,
                                             std::string node,
                                             BucketName,
                                             store::NameState) override;
  Task<Status> forget_copies(
      Context, std::string node, BucketName, std::vector<store::NameState>, Durability) override;
  Task<Result<std::vector<bool>>> offer_names(
      Context, std::string node, BucketName, std::vector<store::NameState>, target::Pace) override;
  Task<Result<std::vector<bool>>> compare_names(Context,
                                                std::string node,
                                                BucketName,
                                                std::string from,
                                                std::vector<store::NameState>) override;
  Task<Result<std::vector<bool>>> lacks_copies(Context,
                                               std::string node,
                                               BucketName,
                                               std::vector<store::NameState>,
                                               bool whole) override;
  Task<Status> take_copy(Context, std::string node, BucketName, store::StoredMeta, BodySource&) override;
  Task<Status> stream_copy(Context, std::string node, target::StreamedCopy, BodySource&) override;
  Task<Result<bool>> take_attributes(
      Context, std::string node, BucketName, std::string key, ObjectInfo) override;
  Task<Result<std::vector<bool>>> forget_tombstones(Context,
                                                    std::string node,
                                                    BucketName,
                                                    std::vector<store::NameState>) override;
  Task<Result<bool>> has_copies_for_me(Context, std::string node) override;
  Task<Status> sync_copy(Context, std::string node, BucketName, std::string key) override;

 private:
  /// unreachable when the map has no such node.
  Result<NodeInfo> find(const std::string& node) const;
  /// Asks a gateway to change the map, and waits until the change is known here.
  template <class Request>
  Task<Status> change_map(Context context, std::string method, Request request);

  Transport& transport_;
  Transport& control_;
  MapSource& maps_;
  std::string node_id_;
  ClusterSlices slices_;
  ObjectApi* cluster_ = nullptr;
  ObjectApi* places_ = nullptr;
  target::LocalTarget* self_ = nullptr;
};

}  // namespace aisfs::cluster
