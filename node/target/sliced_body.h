// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/disk/io_pool.h"
#include "node/ec/decoder.h"
#include "node/store/store.h"
#include "node/target/peers.h"

namespace aisfs::target {

/// Who has slices, and how they are reached. What it refers to outlives its users.
struct SliceAccess {
  std::string node_id;
  store::Store& store;
  MapSource& maps;
  Peers& peers;
  disk::IoPool& compute;  // hashes, encodes and decodes
};

/// The targets that have each slice of a content, and who could not be asked: of those who may have
/// some by the map, and of others.
struct SliceSights {
  std::vector<std::vector<std::string>> at;  // by slice
  std::vector<std::string> silent;
};
Task<SliceSights> find_slices(const SliceAccess& access,
                              Context context,
                              store::Key key,
                              store::Reference content,
                              std::set<std::string> also = {});

/// One opened slice of each that was asked for, where it can be had.
class SliceSet final : public ec::SliceReader {
 public:
  /// `access` outlives it.
  SliceSet(const SliceAccess& access, Context context, store::Key key, store::Reference content);

  /// Opens these slices at these targets, all at once; what cannot be opened is skipped. Bytes are
  /// read from `range` of each.
  Task<void> open(std::map<unsigned, std::string> where, ByteRange range);
  /// Looks for all slices; opens those of `wanted` that were found.
  Task<void> look();
  Task<void> open_found(ec::SliceSet wanted, ByteRange range);
  /// Both, of every one.
  Task<void> open_all(ByteRange range);

  unsigned opened() const { return static_cast<unsigned>(open_.size()); }
  bool has(unsigned slice) const { return open_.contains(slice); }
  /// The header of any that was opened; there is one.
  const ec::SliceHeader& header() const { return open_.begin()->second.tail.header; }
  /// What is known of each slice. Of what was not opened: away, or lost if everybody has said so, or
  /// who has it has said that it is damaged.
  std::vector<ec::SliceState> states() const;

  // ec::SliceReader
  Task<void> read(std::span<ec::SliceRead> reads) override;
  Task<void> compute(std::function<void()> work) override;

 private:
  struct Open {
    std::string node;
    store::SliceTail tail;
    std::unique_ptr<BodySource> body;
    std::uint64_t at = 0;   // where its next byte lies
    std::uint64_t end = 0;  // of what was asked for
  };

  Task<Result<store::OpenSlice>> opening(unsigned slice, std::string node, ByteRange range);
  Task<Status> open_one(unsigned slice, std::string node, ByteRange range);
  Task<Status> read_one(ec::SliceRead& read);

  const SliceAccess& access_;
  const Context context_;
  const store::Key key_;
  const store::Reference content_;
  const ec::Geometry geometry_;
  std::map<unsigned, Open> open_;
  std::optional<SliceSights> sights_;  // once they were looked for
  ec::SliceSet damaged_;               // where they were looked for
};

/// A part of an object that lies in slices. As long as the data slices of the range are where they
/// were put it reads no others; else any that there are. What it gives has been verified.
class SlicedBody final : public BodySource {
 public:
  SlicedBody(const SliceAccess& access,
             Context context,
             store::Key key,
             store::Reference content,
             std::uint64_t object_bytes,
             ByteRange range);

  /// Before the first read: whether the object can be had. not_ready while targets with slices of
  /// it are away, corrupt when too many are lost.
  Task<Status> open();
  /// Whether slices were missing or wrong.
  bool is_degraded() const { return degraded_; }

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return rest_.length; }

 private:
  std::map<unsigned, std::string> first_places() const;
  ByteRange slice_range() const;
  Task<Status> decode_all();
  Error explain(Error error) const;

  const SliceAccess& access_;
  const Context context_;
  const store::Key key_;
  const store::Reference content_;
  const ec::Layout layout_;
  ByteRange rest_;  // not given out yet
  bool degraded_ = false;
  std::unique_ptr<SliceSet> slices_;
  std::unique_ptr<ec::Decoder> decoder_;
};

}  // namespace aisfs::target
