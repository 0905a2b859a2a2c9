// SPDX-License-Identifier: MIT
// A reader of slices in memory that fails as it is told to, for tests of what reads slices.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/ec/decoder.h"
#include "tests/unit/node/ec/slices.h"

namespace aisfs::ec {

/// All are there but those of `lost`.
inline std::vector<SliceState> states_of(const Slices& slices, const SliceSet& lost = {}) {
  std::vector<SliceState> out;
  for (unsigned i = 0; i < slices.bytes.size(); ++i) {
    out.push_back({.presence = Presence::kThere, .block_hashes = slices.object.slices[i].blocks});
    if (lost.test(i)) out.back() = {.presence = Presence::kLost, .block_hashes = {}};
  }
  return out;
}

/// Reads slices in memory, counts what it reads, and fails where it is told to.
class MemoryReader final : public SliceReader {
 public:
  explicit MemoryReader(std::vector<std::string> slices) : slices_(std::move(slices)) {}

  using Fault = std::function<Status(std::uint64_t offset)>;
  void fail(unsigned slice, Fault fault) { faults_[slice] = std::move(fault); }
  void fail(unsigned slice, Errc code) {
    fail(slice, [code](std::uint64_t) { return Status(Error(code, "as told")); });
  }
  void flip(unsigned slice, std::size_t at) { slices_[slice][at] ^= 0x10; }

  Task<void> read(std::span<SliceRead> reads) override {
    ++calls;
    for (SliceRead& one : reads) one.outcome = read_one(one);
    co_return;
  }

  unsigned calls = 0;
  std::map<unsigned, std::uint64_t> bytes_read;  // by slice

 private:
  Status read_one(SliceRead& one) {
    if (const auto fault = faults_.find(one.slice); fault != faults_.end()) {
      CHECK_OK(fault->second(one.offset));
    }
    const std::string& bytes = slices_[one.slice];
    if (one.offset + one.into.size() > bytes.size())
      return Error(Errc::out_of_range, "past the end");
    std::memcpy(one.into.data(), bytes.data() + one.offset, one.into.size());
    bytes_read[one.slice] += one.into.size();
    return {};
  }

  std::vector<std::string> slices_;
  std::map<unsigned, Fault> faults_;
};

template <class T>
Task<void> keep(Task<T> task, std::optional<T>& out) {
  out = co_await std::move(task);
}

template <class T>
T run(Task<T> task) {
  asio::io_context io;
  std::optional<T> out;
  asio::co_spawn(io, keep(std::move(task), out), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  io.run();
  return std::move(*out);
}

/// Reads all that the decoder has, in one piece a stripe.
inline Task<Result<std::string>> rest_of(Decoder& decoder) {
  std::string out;
  for (;;) {
    CO_TRY(const auto pieces, co_await decoder.next());
    if (pieces.empty()) co_return out;
    for (const ConstBytes piece : pieces) out += as_text(piece);
  }
}

inline Result<std::string> read(const Slices& slices,
                                SliceReader& reader,
                                const SliceSet& lost,
                                ByteRange range = {}) {
  Decoder decoder(slices.header(), states_of(slices, lost), reader, range);
  return run(rest_of(decoder));
}

}  // namespace aisfs::ec
