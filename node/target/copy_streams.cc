// SPDX-License-Identifier: MIT
#include "node/target/copy_streams.h"

#include <algorithm>
#include <cstring>

#include "common/base/assert.h"
#include "common/base/block_hashes.h"
#include "common/wire/envelope.h"

namespace aisfs::target {
namespace {

// Nobody waits longer for a holder that takes nothing; it gets its copy at the end, or another
// does.
constexpr Duration kStallMax = std::chrono::seconds(5);
// For the connection, and for the answer, which comes when the copy is as durable as its level
// says.
constexpr Duration kAnswerMax = std::chrono::seconds(30);
// A sender ends with an error of its own when nothing comes; this is for one that is left behind.
constexpr Duration kIdleMax = std::chrono::minutes(5);

struct CopyEndMessage {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string xattr, side;
  Epoch epoch = 0;

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(xattr, side, epoch);
  }
};

Error gone(const std::string& holder) {
  return Error(Errc::not_found, "target " + holder + " has no bytes of it");
}

}  // namespace

std::string encode_copy_end(const CopyEnd& end) {
  store::EncodedMeta encoded = store::encode_meta(end.meta);
  return wire::encode(CopyEndMessage{std::move(encoded.xattr), std::move(encoded.side), end.epoch});
}

Result<CopyEnd> decode_copy_end(std::string_view bytes) {
  TRY(const auto message, wire::decode<CopyEndMessage>(bytes));
  CopyEnd end{.meta = {}, .epoch = message.epoch};
  TRY(end.meta, store::decode_meta(message.xattr, message.side));
  return end;
}

CopyStreams::CopyStreams(Peers& peers,
                         Context context,
                         StreamedCopy copy,
                         std::vector<std::string> holders)
    : peers_(peers), context_(std::move(context)), copy_(std::move(copy)) {
  AISFS_ASSERT(copy_.bytes >= kHashBlockBytes);
  for (std::string& holder : holders) pipes_.emplace_back(*this, std::move(holder));
}

Task<Status> CopyStreams::send(std::size_t i) {
  Pipe& pipe = pipes_[i];
  Context context = context_;
  context.deadline = context.deadline.earlier(Deadline::after(kAnswerMax));
  StreamedCopy copy = copy_;
  pipe.done_ = co_await peers_.stream_copy(std::move(context), pipe.holder_, std::move(copy), pipe);
  fail(pipe);
  co_return *pipe.done_;
}

Task<Result<std::size_t>> CopyStreams::Pipe::read(MutableBytes into) {
  while (rest_.empty() && !failed_) {
    if (ended_ && end_.empty()) co_return std::size_t{0};
    if (ended_) break;
    const auto seen = owner_.changed_.count();
    co_await owner_.changed_.wait(seen, Deadline::after(kIdleMax));
  }
  if (failed_) co_return Error(Errc::cancelled, "the object is not needed there any more");
  if (rest_.empty()) {
    const std::size_t n = std::min(into.size(), end_.size());
    std::memcpy(into.data(), end_.data(), n);
    end_.erase(0, n);
    co_return n;
  }
  const std::size_t n = std::min(into.size(), rest_.size());
  std::memcpy(into.data(), rest_.data(), n);
  rest_ = rest_.subspan(n);
  if (rest_.empty() && owner_.all_taken()) owner_.changed_.notify();
  co_return n;
}

// --- the bytes ----------------------------------------------------------------------------------

/// However reading ends, nobody looks at the upload's memory after it.
class CopyStreams::Borrowing {
 public:
  explicit Borrowing(CopyStreams& of) : of_(of) {}
  Borrowing(const Borrowing&) = delete;
  Borrowing& operator=(const Borrowing&) = delete;
  ~Borrowing() {
    if (!of_.all_taken()) of_.stop();
  }

 private:
  CopyStreams& of_;
};

Task<Status> CopyStreams::pass(BodySource& body, store::Upload& upload) {
  const Borrowing borrowing(*this);
  const std::byte* end = nullptr;  // of what was read last
  for (;;) {
    const MutableBytes space = upload.space();
    if (space.data() != end) co_await taken();
    CO_TRY(const std::size_t n, co_await body.read(space));
    if (n == 0) break;
    push(space.first(n));
    end = space.data() + n;
    CO_CHECK_OK(co_await upload.filled(n));
  }
  co_await taken();
  whole_ = upload.size() == copy_.bytes;
  co_return Status{};
}

void CopyStreams::push(ConstBytes bytes) {
  for (Pipe& pipe : pipes_) {
    if (pipe.failed_) continue;
    const bool goes_on = pipe.rest_.data() + pipe.rest_.size() == bytes.data();
    AISFS_ASSERT(pipe.rest_.empty() || goes_on);
    pipe.rest_ = pipe.rest_.empty()
                     ? bytes
                     : ConstBytes(pipe.rest_.data(), pipe.rest_.size() + bytes.size());
  }
  changed_.notify();
}

bool CopyStreams::all_taken() const {
  return std::ranges::all_of(pipes_, [](const Pipe& pipe) { return pipe.rest_.empty(); });
}

Task<void> CopyStreams::taken() {
  const Deadline deadline = Deadline::after(kStallMax);
  while (!all_taken()) {
    const auto seen = changed_.count();
    co_await changed_.wait(seen, deadline);
    if (!deadline.expired()) continue;
    for (Pipe& pipe : pipes_) {
      if (!pipe.rest_.empty()) fail(pipe);
    }
  }
}

// --- the end ------------------------------------------------------------------------------------

void CopyStreams::fail(Pipe& pipe) {
  pipe.failed_ = true;
  pipe.rest_ = {};
  changed_.notify();
}

void CopyStreams::stop() {
  for (Pipe& pipe : pipes_) {
    if (!pipe.ended_) fail(pipe);
  }
}

Task<Status> CopyStreams::finish(const std::string& holder, const CopyEnd& end, Deadline deadline) {
  const auto found = std::ranges::find(pipes_, holder, &Pipe::holder_);
  if (found == pipes_.end() || !whole_ || found->failed_ || found->ended_) co_return gone(holder);
  found->end_ = encode_copy_end(end);
  found->ended_ = true;
  changed_.notify();
  while (!found->done_ && !deadline.expired()) {
    const auto seen = changed_.count();
    if (found->done_) break;
    co_await changed_.wait(seen, deadline);
  }
  if (!found->done_) co_return Error(Errc::timed_out, "target " + holder + " does not answer");
  co_return *found->done_;
}

}  // namespace aisfs::target
