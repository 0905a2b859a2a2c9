// SPDX-License-Identifier: MIT
#include "node/ec/decoder.h"

#include <algorithm>
#include <cstring>

#include "common/base/hash.h"

namespace aisfs::ec {

Decoder::Decoder(SliceHeader header,
                 std::vector<SliceState> slices,
                 SliceReader& reader,
                 ByteRange range)
    : reader_(reader),
      loader_(std::move(header), std::move(slices), reader),
      range_(range.within(loader_.header().object_bytes)),
      stripes_(loader_.layout().stripes_of(range_)) {
  rewind();
}

bool Decoder::rewind() {
  stripe_ = stripes_.first;
  left_ = range_.length;
  pieces_.clear();
  object_hash_.reset();
  if (range_ == ByteRange{0, loader_.header().object_bytes}) object_hash_.emplace();
  return true;
}

Task<Result<std::vector<ConstBytes>>> Decoder::next() {
  std::vector<ConstBytes> out;
  if (stripe_ >= stripes_.end) co_return out;
  const Layout& layout = loader_.layout();
  const auto pieces = layout.pieces(part_of(stripe_));
  SliceSet wanted;
  for (const SlicePiece& piece : pieces) wanted.set(piece.slice);
  CO_CHECK_OK(co_await loader_.load(stripe_, wanted));
  if (object_hash_) CO_CHECK_OK(co_await check_object(stripe_));
  for (const SlicePiece& piece : pieces) {
    const std::uint64_t at = piece.offset - layout.block_offset(stripe_);
    out.push_back(loader_.block(piece.slice).subspan(at, piece.length));
  }
  ++stripe_;
  co_return out;
}

/// The range's share of the stripe.
ByteRange Decoder::part_of(std::uint64_t stripe) const {
  const ByteRange all = loader_.layout().object_range(stripe);
  const std::uint64_t begin = std::max(all.offset, range_.offset);
  const std::uint64_t end = std::min(all.offset + all.length, range_.offset + range_.length);
  return {begin, end - begin};
}

/// corrupt if the object ends with this stripe and is not what was encoded.
Task<Status> Decoder::check_object(std::uint64_t stripe) {
  std::function<void()> work = [this, stripe] { hash(stripe); };
  co_await reader_.compute(std::move(work));
  if (stripe + 1 != stripes_.end || object_hash_->finish().root == loader_.header().object_root) {
    co_return Status{};
  }
  co_return Error(Errc::corrupt,
                  "slices that are right by their hashes make an object that is not");
}

void Decoder::hash(std::uint64_t stripe) {
  const Layout& layout = loader_.layout();
  for (const SlicePiece& piece : layout.pieces(layout.object_range(stripe))) {
    const ConstBytes bytes = loader_.block(piece.slice).first(piece.length);
    const auto known = loader_.hash(piece.slice);
    if (bytes.size() == kHashBlockBytes && known) {
      object_hash_->add_block(*known);
    } else {
      object_hash_->update(bytes);
    }
  }
}

Task<Result<std::size_t>> Decoder::read(MutableBytes into) {
  if (pieces_.empty()) {
    CO_TRY(pieces_, co_await next());
    std::ranges::reverse(pieces_);
  }
  std::size_t done = 0;
  while (done < into.size() && !pieces_.empty()) {
    ConstBytes& piece = pieces_.back();
    const std::size_t n = std::min(piece.size(), into.size() - done);
    std::memcpy(into.data() + done, piece.data(), n);
    piece = piece.subspan(n);
    if (piece.empty()) pieces_.pop_back();
    done += n;
  }
  left_ -= done;
  co_return done;
}

}  // namespace aisfs::ec
