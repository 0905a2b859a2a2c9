// SPDX-License-Identifier: MIT
#include "node/target/sliced_body.h"

#include <algorithm>

#include "common/async/gather.h"
#include "common/async/timeout.h"
#include "common/placement/hrw.h"
#include "node/target/healer.h"

namespace aisfs::target {
namespace {

constexpr Duration kAskMax = std::chrono::seconds(3);
// A slice whose holder takes longer to begin is as good as one that is away.
constexpr Duration kOpenMax = std::chrono::seconds(3);

ec::SliceSet only(unsigned slice) {
  ec::SliceSet set;
  set.set(slice);
  return set;
}

Task<Status> fill_exactly(BodySource& body, MutableBytes into) {
  while (!into.empty()) {
    CO_TRY(const std::size_t n, co_await body.read(into));
    if (n == 0) co_return Error(Errc::corrupt, "slice: it ends too early");
    into = into.subspan(n);
  }
  co_return Status{};
}

Task<Result<std::vector<ec::SliceSet>>> ask(const SliceAccess& access,
                                            Context context,
                                            std::string node,
                                            store::Key key,
                                            store::Reference content) {
  std::vector<store::Reference> one{std::move(content)};
  if (node == access.node_id) {
    return access.store.slices_here(key.bucket, key.name.bucket, std::move(one));
  }
  context.deadline = context.deadline.earlier(Deadline::after(kAskMax));
  return access.peers.slices().slices_at(std::move(context), std::move(node), key.name.bucket,
                                         std::move(one));
}

}  // namespace

namespace {

/// Adds what these have.
Task<void> look_at(const SliceAccess& access,
                   const Context& context,
                   const ClusterMap& map,
                   const store::Key& key,
                   const store::Reference& content,
                   const std::vector<std::string>& nodes,
                   SliceSights& sights) {
  std::vector<Task<Result<std::vector<ec::SliceSet>>>> calls;
  std::vector<std::string> asked;
  for (const std::string& node : nodes) {
    const NodeInfo* info = map.find_node(node);
    if (info == nullptr || info->state == NodeState::kAway) {
      sights.silent.push_back(node);
      continue;
    }
    asked.push_back(node);
    calls.push_back(ask(access, context, node, key, content));
  }
  const auto replies = co_await gather(std::move(calls));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!replies[i] || replies[i]->size() != 1) {
      sights.silent.push_back(asked[i]);
      continue;
    }
    for (const unsigned slice : ec::indices(replies[i]->front())) {
      if (slice < sights.at.size()) sights.at[slice].push_back(asked[i]);
    }
  }
}

}  // namespace

Task<SliceSights> find_slices(const SliceAccess& access,
                              Context context,
                              store::Key key,
                              store::Reference content,
                              std::set<std::string> also) {
  const auto geometry = store::geometry_of(content);
  const MapSnapshot map = access.maps.current();
  auto nodes = placement::may_hold(*map, key.name, geometry->slices());
  for (const std::string& node : nodes) also.erase(node);
  for (const std::string& node : also) {
    if (map->find_node(node) != nullptr) nodes.push_back(node);
  }
  SliceSights sights{.at = std::vector<std::vector<std::string>>(geometry->slices()), .silent = {}};
  co_await look_at(access, context, *map, key, content, nodes, sights);
  const auto seen = std::ranges::count_if(sights.at, [](const auto& at) { return !at.empty(); });
  if (static_cast<std::size_t>(seen) >= geometry->data) co_return sights;
  // Before anybody says that it is lost: some may lie where they should not.
  std::vector<std::string> others;
  for (const auto& [id, node] : map->nodes) {
    const bool asked = std::ranges::find(nodes, id) != nodes.end();
    if (node.stores() && !asked) others.push_back(id);
  }
  SliceSights more{.at = sights.at, .silent = {}};
  co_await look_at(access, context, *map, key, content, others, more);
  sights.at = std::move(more.at);
  // Of who has nothing to do with names any more nothing is expected.
  for (const NodeInfo* node : map->holding_targets()) {
    const bool silent = std::ranges::find(more.silent, node->id) != more.silent.end();
    if (silent) sights.silent.push_back(node->id);
  }
  co_return sights;
}

// --- SliceSet -----------------------------------------------------------------------------------

SliceSet::SliceSet(const SliceAccess& access,
                   Context context,
                   store::Key key,
                   store::Reference content)
    : access_(access),
      context_(std::move(context)),
      key_(std::move(key)),
      content_(std::move(content)),
      geometry_(*store::geometry_of(content_)) {}

Task<Result<store::OpenSlice>> SliceSet::opening(unsigned slice,
                                                 std::string node,
                                                 ByteRange range) {
  if (node == access_.node_id) {
    return access_.store.open_slice(key_.bucket, key_.name.bucket, content_, only(slice), range);
  }
  return with_timeout(access_.peers.slices().open_slice(context_, std::move(node), key_.name.bucket,
                                                        content_, only(slice), range),
                      context_.deadline.earlier(Deadline::after(kOpenMax)));
}

Task<Status> SliceSet::open_one(unsigned slice, std::string node, ByteRange range) {
  auto opened = co_await opening(slice, node, range);
  if (!opened) co_return std::move(opened).error();
  const ByteRange part = range.within(opened->tail.header.layout().slice_bytes());
  Open& open = open_[slice];
  open = {.node = std::move(node),
          .tail = std::move(opened->tail),
          .body = std::move(opened->body),
          .at = part.offset,
          .end = part.offset + part.length};
  co_return Status{};
}

Task<void> SliceSet::open(std::map<unsigned, std::string> where, ByteRange range) {
  std::vector<Task<Status>> calls;
  std::vector<unsigned> slices;
  for (auto& [slice, node] : where) {
    slices.push_back(slice);
    calls.push_back(open_one(slice, std::move(node), range));
  }
  const auto done = co_await gather(std::move(calls));
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!done[i] && is_damage(done[i].error())) damaged_.set(slices[i]);
  }
}

Task<void> SliceSet::look() { sights_ = co_await find_slices(access_, context_, key_, content_); }

Task<void> SliceSet::open_found(ec::SliceSet wanted, ByteRange range) {
  std::map<unsigned, std::string> where;
  for (unsigned slice = 0; slice < sights_->at.size(); ++slice) {
    const auto& nodes = sights_->at[slice];
    if (!wanted.test(slice) || has(slice) || nodes.empty()) continue;
    const bool here = std::ranges::find(nodes, access_.node_id) != nodes.end();
    where[slice] = here ? access_.node_id : nodes.front();
  }
  co_await open(std::move(where), range);
}

Task<void> SliceSet::open_all(ByteRange range) {
  co_await look();
  ec::SliceSet all;
  all.set();
  co_await open_found(all, range);
}

std::vector<ec::SliceState> SliceSet::states() const {
  std::vector<ec::SliceState> states(geometry_.slices());
  for (unsigned slice = 0; slice < states.size(); ++slice) {
    if (const auto it = open_.find(slice); it != open_.end()) {
      states[slice] = {.presence = ec::Presence::kThere, .block_hashes = it->second.tail.hashes};
    } else {
      // One that somebody has, and that cannot be opened now, is not lost.
      const bool nowhere = sights_ && sights_->silent.empty() && sights_->at[slice].empty();
      const bool lost = nowhere || damaged_.test(slice);
      states[slice].presence = lost ? ec::Presence::kLost : ec::Presence::kAway;
    }
  }
  return states;
}

Task<Status> SliceSet::read_one(ec::SliceRead& read) {
  const auto it = open_.find(read.slice);
  if (it == open_.end()) co_return Error(Errc::unreachable);
  Open& open = it->second;
  if (open.at != read.offset || open.end < read.offset + read.into.size()) {
    const ByteRange rest{read.offset, open.tail.header.layout().slice_bytes() - read.offset};
    const std::string node = open.node;
    CO_CHECK_OK(co_await open_one(read.slice, node, rest));
  }
  Open& now = open_.at(read.slice);
  CO_CHECK_OK(co_await fill_exactly(*now.body, read.into));
  now.at += read.into.size();
  co_return Status{};
}

Task<void> SliceSet::read(std::span<ec::SliceRead> reads) {
  std::vector<Task<Status>> calls;
  for (ec::SliceRead& read : reads) calls.push_back(read_one(read));
  auto done = co_await gather(std::move(calls));
  for (std::size_t i = 0; i < reads.size(); ++i) reads[i].outcome = std::move(done[i]);
}

Task<void> SliceSet::compute(std::function<void()> work) {
  auto run = [&work] {
    work();
    return true;
  };
  co_await access_.compute.run(std::move(run));
}

// --- SlicedBody ---------------------------------------------------------------------------------

SlicedBody::SlicedBody(const SliceAccess& access,
                       Context context,
                       store::Key key,
                       store::Reference content,
                       std::uint64_t object_bytes,
                       ByteRange range)
    : access_(access),
      context_(std::move(context)),
      key_(std::move(key)),
      content_(std::move(content)),
      layout_(*ec::Layout::make(*store::geometry_of(content_), ec::kUnitDefault, object_bytes)),
      rest_(range.within(object_bytes)) {}

/// The data slices that the range touches, each at the holder that it was put to.
std::map<unsigned, std::string> SlicedBody::first_places() const {
  const unsigned data = layout_.geometry().data;
  const MapSnapshot map = access_.maps.current();
  const auto holders = placement::holder_ids(*map, key_.name, layout_.geometry().slices());
  std::map<unsigned, std::string> places;
  const ec::StripeRange stripes = layout_.stripes_of(rest_);
  const bool few = stripes.end - stripes.first <= 1;
  std::vector<ec::SlicePiece> pieces;
  if (few) pieces = layout_.pieces(rest_);
  for (unsigned slice = 0; slice < data && slice < holders.size(); ++slice) {
    const bool touched = !few || std::ranges::any_of(pieces, [slice](const ec::SlicePiece& piece) {
      return piece.slice == slice;
    });
    if (touched) places[slice] = holders[slice];
  }
  return places;
}

ByteRange SlicedBody::slice_range() const { return layout_.slice_range(layout_.stripes_of(rest_)); }

Error SlicedBody::explain(Error error) const {
  const Errc code = error.code() == Errc::unreachable ? Errc::not_ready : error.code();
  return Error(code, key_.display() + ": " + error.what());
}

Task<Status> SlicedBody::open() {
  if (rest_.length == 0) co_return Status{};
  slices_ = std::make_unique<SliceSet>(access_, context_, key_, content_);
  auto places = first_places();
  ec::SliceSet wanted;
  for (const auto& [slice, _] : places) wanted.set(slice);
  co_await slices_->open(std::move(places), slice_range());
  if (slices_->opened() < wanted.count()) {
    // They may lie elsewhere since targets have changed.
    co_await slices_->look();
    co_await slices_->open_found(wanted, slice_range());
  }
  if (slices_->opened() < wanted.count() || wanted.none()) co_return co_await decode_all();
  decoder_ = std::make_unique<ec::Decoder>(slices_->header(), slices_->states(), *slices_, rest_);
  co_return Status{};
}

/// From here on of all slices that there are.
Task<Status> SlicedBody::decode_all() {
  degraded_ = true;
  decoder_.reset();
  slices_ = std::make_unique<SliceSet>(access_, context_, key_, content_);
  co_await slices_->open_all(slice_range());
  const unsigned data = layout_.geometry().data;
  if (slices_->opened() < data) {
    const auto states = slices_->states();
    const auto away = std::ranges::count(states, ec::Presence::kAway, &ec::SliceState::presence);
    const std::string what = std::to_string(data) + " slices are needed, " +
                             std::to_string(slices_->opened()) + " can be read";
    const bool may_come = slices_->opened() + static_cast<std::size_t>(away) >= data;
    co_return explain(Error(may_come ? Errc::unreachable : Errc::corrupt, what));
  }
  decoder_ = std::make_unique<ec::Decoder>(slices_->header(), slices_->states(), *slices_, rest_);
  co_return Status{};
}

Task<Result<std::size_t>> SlicedBody::read(MutableBytes into) {
  if (rest_.length == 0) co_return std::size_t{0};
  auto got = co_await decoder_->read(into);
  if (!got && got.error() != Errc::cancelled && !degraded_) {
    CO_CHECK_OK(co_await decode_all());
    got = co_await decoder_->read(into);
  }
  if (!got) co_return explain(std::move(got).error());
  rest_.offset += *got;
  rest_.length -= *got;
  co_return got;
}

}  // namespace aisfs::target
