// SPDX-License-Identifier: MIT
#pragma once
#include <functional>

#include "node/target/local_target.h"

namespace aisfs::target {

/// SlicePeers that calls the other targets of the process directly.
class DirectSlices final : public SlicePeers {
 public:
  /// An error for one that is unreachable.
  using At = std::function<Result<LocalTarget*>(const std::string& node)>;
  explicit DirectSlices(At at) : at_(std::move(at)) {}

  Task<Status> put_slice(Context c,
                         std::string node,
                         BucketName bucket,
                         store::Reference content,
                         unsigned index,
                         Durability level,
                         BodySource& body) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->take_slice(std::move(c), std::move(bucket), std::move(content),
                                          index, level, body);
  }
  Task<Result<std::vector<ec::SliceSet>>> slices_at(
      Context c,
      std::string node,
      BucketName bucket,
      std::vector<store::Reference> contents) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->slices_here(std::move(c), std::move(bucket), std::move(contents));
  }
  Task<Result<store::OpenSlice>> open_slice(Context c,
                                            std::string node,
                                            BucketName bucket,
                                            store::Reference content,
                                            ec::SliceSet wanted,
                                            ByteRange range) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->open_slice(std::move(c), std::move(bucket), std::move(content),
                                          wanted, range);
  }
  Task<Status> drop_slices(Context c,
                           std::string node,
                           BucketName bucket,
                           store::Reference content,
                           ec::SliceSet slices) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->drop_slices(std::move(c), std::move(bucket), std::move(content),
                                           slices);
  }
  Task<Result<std::vector<SliceVerdict>>> judge_slices(
      Context c,
      std::string node,
      BucketName bucket,
      std::string from,
      std::vector<store::HeldSlice> slices) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->judge_slices(std::move(c), std::move(bucket), std::move(from),
                                            std::move(slices));
  }

  Task<Status> miss_slices(Context c,
                           std::string node,
                           BucketName bucket,
                           std::vector<std::string> keys) override {
    CO_TRY(LocalTarget* const target, at_(node));
    co_return co_await target->miss_slices(std::move(c), std::move(bucket), std::move(keys));
  }

 private:
  const At at_;
};

}  // namespace aisfs::target
