// SPDX-License-Identifier: MIT
#include "node/target/slice_writer.h"

#include <algorithm>

#include "common/async/gather.h"
#include "node/ec/block_memory.h"
#include "node/ec/rebuild.h"
#include "node/target/slice_pipes.h"

namespace aisfs::target {
namespace {

// For one stripe to be taken by all.
constexpr Duration kStripeMax = std::chrono::seconds(60);
constexpr Duration kAnswerMax = std::chrono::seconds(30);
// Encoded where it arrives, a quarter of a millisecond: in another thread it would fall out of this
// CPU's cache, from where it is sent.
constexpr std::size_t kAtOnceBytes = 1_MiB;

Task<Status> put(const SliceAccess& access,
                 Context context,
                 std::string node,
                 store::Key key,
                 store::Reference content,
                 unsigned slice,
                 Durability level,
                 BodySource& body) {
  if (node == access.node_id) {
    return access.store.put_slice(key.bucket, key.name.bucket, std::move(content), slice, level,
                                  body);
  }
  return access.peers.slices().put_slice(std::move(context), std::move(node), key.name.bucket,
                                         std::move(content), slice, level, body);
}

/// One who takes a slice out of the pipes. The others' are of no use when more than `spare` fail.
Task<Status> take(const SliceAccess& access,
                  Context context,
                  SlicePipes& pipes,
                  std::size_t pipe,
                  const Splitting& splitting,
                  std::string node,
                  unsigned slice,
                  unsigned& spare) {
  // For the answer; the client adds the time that the bytes take.
  context.deadline = context.deadline.earlier(Deadline::after(kAnswerMax));
  Status done = co_await put(access, std::move(context), std::move(node), splitting.key,
                             splitting.content, slice, splitting.level, pipes.body(pipe));
  if (!done && spare == 0) pipes.fail(done.error());
  if (!done && spare > 0) --spare;
  pipes.leave(pipe);
  co_return done;
}

Task<Status> ended(SlicePipes& pipes, Task<Status> making) {
  Status made = co_await std::move(making);
  if (!made) pipes.fail(made.error());
  co_return made;
}

// --- of an object -------------------------------------------------------------------------------

using Update = std::function<void(ConstBytes)>;
using Describe = std::function<Result<std::string>(const ec::EncodedObject&)>;

/// Two stripes: one is read while the other is sent.
class Splitter {
 public:
  Splitter(const SliceAccess& access, const Splitting& splitting, BodySource& body)
      : access_(access),
        splitting_(splitting),
        body_(body),
        geometry_(*store::geometry_of(splitting.content)),
        encoder_(geometry_) {
    const bool one = splitting.bytes > 0 && splitting.bytes + 1 < stripe_bytes();
    room_ = one ? splitting.bytes + 1 : stripe_bytes();  // a longer one is not to be missed
    const std::size_t blocks = one ? ec::Encoder::tail_bytes(geometry_, splitting.bytes) : room_;
    for (auto& buffer : buffers_) {
      buffer = ec::BlockMemory(std::max(room_, blocks));
      if (one) break;
    }
  }

  Task<Status> run(SlicePipes& pipes, const Update& update, const Describe& describe) {
    for (unsigned turn = 0;; ++turn) {
      const MutableBytes buffer = buffers_[turn % 2].span();
      std::size_t used = 0;
      while (used < room_) {
        CO_TRY(const std::size_t n, co_await body_.read(buffer.subspan(used, room_ - used)));
        if (n == 0) break;
        used += n;
      }
      if (used == room_ && room_ < stripe_bytes()) {
        co_return Error(Errc::invalid_argument, "the body has more bytes than were promised");
      }
      CO_CHECK_OK(co_await pipes.taken(Deadline::after(kStripeMax)));
      if (used < room_) co_return co_await finish(pipes, buffer, used, update, describe);
      CO_CHECK_OK(co_await encode(pipes, buffer.first(used), update));
    }
  }

 private:
  std::size_t stripe_bytes() const { return std::size_t{geometry_.data} * ec::kUnitDefault; }

  Task<Status> encode(SlicePipes& pipes, ConstBytes bytes, const Update& update) {
    std::optional<ec::Stripe> stripe;
    auto work = [&]() -> Status {
      if (update) update(bytes);
      return encoder_.write(bytes, [&](const ec::Stripe& made) -> Status {
        stripe = made;
        return {};
      });
    };
    CO_CHECK_OK(co_await access_.compute.run(std::move(work)));
    if (stripe) pipes.push(*stripe);
    co_return Status{};
  }

  /// The last bytes, less than a stripe, in memory for their blocks.
  Task<Status> finish(SlicePipes& pipes,
                      MutableBytes memory,
                      std::size_t used,
                      const Update& update,
                      const Describe& describe) {
    std::optional<ec::Stripe> last;
    auto work = [&]() -> Result<std::vector<std::string>> {
      if (update && used > 0) update(memory.first(used));
      last = encoder_.flush(memory, used);
      ec::EncodedObject object = encoder_.finish();
      TRY(std::string meta, describe(object));
      std::vector<std::string> tails;
      for (unsigned i = 0; i < geometry_.slices(); ++i) {
        store::SliceTail tail{object.header(splitting_.content.content_version, meta),
                              std::move(object.slices[i].blocks)};
        tail.header.index = static_cast<std::uint8_t>(i);
        tails.push_back(store::encode_tail(tail));
      }
      return tails;
    };
    Result<std::vector<std::string>> tails(Errc::internal);
    if (!update && used <= kAtOnceBytes) {
      tails = work();
    } else {
      tails = co_await access_.compute.run(std::move(work));
    }
    if (!tails) co_return std::move(tails).error();
    if (last) pipes.push(*last);
    pipes.finish(*std::move(tails));
    co_return co_await pipes.taken(Deadline::after(kStripeMax));  // the blocks are the encoder's
  }

  const SliceAccess& access_;
  const Splitting& splitting_;
  BodySource& body_;
  const ec::Geometry geometry_;
  ec::Encoder encoder_;
  std::size_t room_ = 0;  // of a buffer
  ec::BlockMemory buffers_[2];
};

// --- of other slices ----------------------------------------------------------------------------

Task<Status> rebuild(const SliceAccess& access,
                     ec::Rebuild& made,
                     SlicePipes& pipes,
                     ec::SliceSet wanted) {
  for (;;) {
    CO_CHECK_OK(co_await pipes.taken(Deadline::after(kStripeMax)));
    CO_TRY(const ec::Stripe stripe, co_await made.next());
    if (stripe.blocks.empty()) break;
    pipes.push(stripe);
  }
  auto tails = [&] {
    std::vector<std::string> all;
    for (const unsigned slice : ec::indices(wanted)) {
      all.push_back(store::encode_tail({made.header(slice), made.hashes(slice).blocks}));
    }
    return all;
  };
  pipes.finish(co_await access.compute.run(std::move(tails)));
  co_return co_await pipes.taken(Deadline::after(kStripeMax));
}

Task<Status> make_anew(const SliceAccess& access,
                       Context context,
                       const Splitting& splitting,
                       std::vector<SlicePlan::Move> moves) {
  SliceSet slices(access, context, splitting.key, splitting.content);
  const ByteRange all;
  co_await slices.open_all(all);
  if (slices.opened() == 0) {
    co_return Error(Errc::not_ready, splitting.key.display() + ": none of its slices can be read");
  }
  ec::SliceSet wanted;
  for (const SlicePlan::Move& move : moves) wanted.set(move.slice);
  ec::Rebuild made(slices.header(), slices.states(), slices, wanted);  // lends what is taken below
  SlicePipes pipes(moves.size());
  unsigned spare = 0;
  std::vector<Task<Status>> tasks;
  tasks.push_back(ended(pipes, rebuild(access, made, pipes, wanted)));
  for (std::size_t i = 0; i < moves.size(); ++i) {  // ascending by slice, as the pipes are
    tasks.push_back(take(access, context, pipes, i, splitting, moves[i].to, moves[i].slice, spare));
  }
  for (Status& one : co_await gather(std::move(tasks))) CO_CHECK_OK(std::move(one));
  co_return Status{};
}

/// A slice as it lies somewhere.
class WholeSlice final : public BodySource {
 public:
  explicit WholeSlice(store::OpenSlice slice)
      : blocks_(std::move(slice.body)), tail_(store::encode_tail(slice.tail)) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    CO_TRY(const std::size_t n, co_await blocks_->read(into));
    if (n > 0) co_return n;
    co_return co_await tail_.read(into);
  }

 private:
  const std::unique_ptr<BodySource> blocks_;
  StringSource tail_;
};

Task<Status> move(const SliceAccess& access,
                  Context context,
                  const Splitting& splitting,
                  SlicePlan::Move move) {
  ec::SliceSet wanted;
  wanted.set(move.slice);
  const store::Key& key = splitting.key;
  const ByteRange all;
  Result<store::OpenSlice> opened(Errc::not_found);
  if (move.from == access.node_id) {
    opened = co_await access.store.open_slice(key.bucket, key.name.bucket, splitting.content,
                                              wanted, all);
  } else {
    opened = co_await access.peers.slices().open_slice(context, move.from, key.name.bucket,
                                                       splitting.content, wanted, all);
  }
  if (!opened) co_return std::move(opened).error();
  WholeSlice whole(*std::move(opened));
  co_return co_await put(access, std::move(context), std::move(move.to), key, splitting.content,
                         move.slice, splitting.level, whole);
}

}  // namespace

Task<Result<ec::SliceSet>> split(const SliceAccess& access,
                                 Context context,
                                 const Splitting& splitting,
                                 BodySource& body,
                                 const Update& update,
                                 const Describe& describe) {
  const unsigned slices = static_cast<unsigned>(splitting.holders.size());
  SlicePipes pipes(slices);
  Splitter splitter(access, splitting, body);
  unsigned spare = store::geometry_of(splitting.content)->parity;
  std::vector<Task<Status>> tasks;
  tasks.push_back(ended(pipes, splitter.run(pipes, update, describe)));
  for (unsigned i = 0; i < slices; ++i) {
    tasks.push_back(take(access, context, pipes, i, splitting, splitting.holders[i], i, spare));
  }
  const std::vector<Status> done = co_await gather(std::move(tasks));
  if (!done[0]) co_return done[0].error();
  ec::SliceSet missing;
  for (unsigned i = 0; i < slices; ++i) missing.set(i, !done[i + 1]);
  if (missing.count() <= slices - store::geometry_of(splitting.content)->data) co_return missing;
  for (const Status& one : done) CO_CHECK_OK(one);
  co_return missing;
}

Task<Status> carry_out(const SliceAccess& access,
                       Context context,
                       store::Key key,
                       store::Reference content,
                       SlicePlan plan) {
  const Splitting splitting{.key = std::move(key), .content = std::move(content), .holders = {}};
  std::vector<SlicePlan::Move> lost;
  for (SlicePlan::Move& one : plan.moves) {
    bool moved = false;
    if (!one.from.empty()) {
      const Status done = co_await move(access, context, splitting, one);
      moved = done.ok();
    }
    if (!moved) lost.push_back(std::move(one));  // or it was damaged where it lay
  }
  if (lost.empty()) co_return Status{};
  co_return co_await make_anew(access, std::move(context), splitting, std::move(lost));
}

}  // namespace aisfs::target
