// SPDX-License-Identifier: MIT
#include "aisfs/read/reader.h"

namespace aisfs::read {
namespace {

constexpr std::uint64_t kBlock = 1_MiB;
constexpr std::uint64_t kBlocksPerRequest = 4;  // parallel ranges of 4 MiB keep a fast link full
constexpr std::uint64_t kKeepBehind = 2;        // blocks, for reads that come a little late

/// Reads until `into` is full or the body ends.
Task<Result<std::size_t>> read_full(BodySource& body, MutableBytes into) {
  std::size_t done = 0;
  while (done < into.size()) {
    CO_TRY(const std::size_t n, co_await body.read(into.subspan(done)));
    if (n == 0) break;
    done += n;
  }
  co_return done;
}

Task<Result<std::size_t>> read_into(BodySource& body, std::string& out) {
  const MutableBytes space(reinterpret_cast<std::byte*>(out.data()), out.size());
  co_return co_await read_full(body, space);
}

}  // namespace

Reader::Reader(ObjectApi& api, TaskScope& scope, Budget& budget, Pinned pinned)
    : api_(api), scope_(scope), budget_(budget), pinned_(std::move(pinned)) {}

Reader::~Reader() {
  while (!blocks_.empty()) drop(blocks_.begin());
  if (whole_in_budget_) budget_.give_back(whole_->size());
}

void Reader::preload(std::string whole) {
  if (whole_ != nullptr) return;
  whole_in_budget_ = budget_.take(whole.size());
  whole_ = std::make_shared<const std::string>(std::move(whole));
}

Task<Result<std::string>> Reader::fetch(ByteRange range, Context context) {
  range = range.within(pinned_.size);
  if (range.length == 0) co_return std::string();
  GetOptions options{.range = range, .version = pinned_.version};
  CO_TRY(auto stream, co_await api_.get(context, pinned_.name, std::move(options)));
  std::string out(range.length, '\0');
  CO_TRY(const std::size_t n, co_await read_into(*stream.body, out));
  if (n != range.length) co_return Error(Errc::io, "the object ended early");
  co_return out;
}

Task<Result<std::string>> Reader::read(ByteRange range, Context context) {
  const auto self = shared_from_this();
  range = range.within(pinned_.size);
  if (range.length == 0) co_return std::string();
  if (whole_) co_return whole_->substr(range.offset, range.length);
  const ByteRange wanted = advisor_.on_read(range);
  if (wanted.length == 0 && !blocks_.contains(range.offset / kBlock)) {
    co_return co_await fetch(range, std::move(context));
  }
  fetch_ahead(wanted, context);
  auto out = co_await from_blocks(range, std::move(context));
  drop_behind(range.offset);
  co_return out;
}

void Reader::fetch_ahead(ByteRange wanted, Context context) {
  wanted = wanted.within(pinned_.size);
  if (wanted.length == 0) return;
  const std::uint64_t end = (wanted.offset + wanted.length + kBlock - 1) / kBlock;
  std::uint64_t index = wanted.offset / kBlock;
  while (index < end) {
    if (blocks_.contains(index)) {
      ++index;
      continue;
    }
    const std::uint64_t first = index;
    std::vector<BlockPtr> run;
    while (index < end && run.size() < kBlocksPerRequest && !blocks_.contains(index)) {
      const std::uint64_t bytes = ByteRange{index * kBlock, kBlock}.within(pinned_.size).length;
      if (!budget_.take(bytes)) break;
      run.push_back(blocks_[index++] = std::make_shared<Block>(scope_.executor()));
      run.back()->bytes.resize(bytes);
      run.back()->ready.expires_at(std::chrono::steady_clock::time_point::max());
    }
    if (run.empty()) return;  // no memory left: the reader waits for its own range only
    scope_.spawn(fill(first, std::move(run), context));
  }
}

Task<void> Reader::fill(std::uint64_t first, std::vector<BlockPtr> blocks, Context context) {
  const auto self = shared_from_this();
  std::optional<Error> error;
  try {
    GetOptions options{
        .range = ByteRange{first * kBlock, blocks.size() * kBlock}.within(pinned_.size),
        .version = pinned_.version};
    auto stream = co_await api_.get(std::move(context), pinned_.name, std::move(options));
    if (!stream) error = stream.error();
    for (const BlockPtr& block : blocks) {
      if (error) break;
      const auto n = co_await read_into(*stream->body, block->bytes);
      if (!n) error = n.error();
      else if (*n != block->bytes.size()) error = Error(Errc::io, "the object ended early");
      if (error) break;
      block->done = true;
      block->ready.cancel();
    }
  } catch (const std::exception& e) {
    error = Error(Errc::cancelled, e.what());
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i]->done) continue;
    blocks[i]->error = error;
    blocks[i]->done = true;
    blocks[i]->ready.cancel();
    const auto it = blocks_.find(first + i);
    if (it != blocks_.end() && it->second == blocks[i]) drop(it);  // the next read tries again
  }
}

Task<Result<std::string>> Reader::from_blocks(ByteRange range, Context context) {
  std::string out;
  out.reserve(range.length);
  while (out.size() < range.length) {
    const std::uint64_t at = range.offset + out.size();
    const auto it = blocks_.find(at / kBlock);
    if (it == blocks_.end()) {
      const ByteRange rest{at, range.offset + range.length - at};
      CO_TRY(const std::string tail, co_await fetch(rest, std::move(context)));
      co_return out + tail;
    }
    const BlockPtr block = it->second;
    while (!block->done) {
      const auto [ec] = co_await block->ready.async_wait(use_ec);
      if (!block->done && ec) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return Error(Errc::cancelled);
      }
    }
    if (block->error) co_return *block->error;
    const std::uint64_t skip = at % kBlock;
    out.append(block->bytes, skip, range.length - out.size());
  }
  co_return out;
}

void Reader::drop_behind(std::uint64_t offset) {
  const std::uint64_t index = offset / kBlock;
  while (!blocks_.empty() && blocks_.begin()->first + kKeepBehind < index &&
         blocks_.begin()->second->done) {
    drop(blocks_.begin());
  }
}

void Reader::drop(std::map<std::uint64_t, BlockPtr>::iterator it) {
  budget_.give_back(it->second->bytes.size());
  blocks_.erase(it);
}

}  // namespace aisfs::read
