// SPDX-License-Identifier: MIT
// Bodies in motion: what a handler reads from, what it hands to the one who sends.
#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "common/async/task.h"
#include "common/base/bytes.h"

namespace aisfs {

/// A part of an open file that may leave by sendfile.
struct FileSlice {
  int fd = -1;  // owned by the BodySource that hands the slice out
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A socket whose next bytes are those of a body, which can be passed on without being read.
class BodySocket {
 public:
  virtual ~BodySocket() = default;

  /// Moves up to `max` bytes of the body into a pipe (splice); 0: none are there now. Errors are
  /// those of read().
  virtual Result<std::size_t> splice_to(int pipe, std::size_t max) = 0;
  /// Waits until there are some, or an error to be told.
  virtual Task<Status> wait() = 0;
};

/// Bytes to be had once, in order. One reader, one executor.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// Fills the front of `into` (not empty) and returns how much; 0 is the end of the body.
  /// An error ends the source: what was read so far must not be taken for the whole.
  virtual Task<Result<std::size_t>> read(MutableBytes into) = 0;

  /// What is left, if it is known before the end.
  virtual std::optional<std::uint64_t> remaining() const { return std::nullopt; }

  /// Back to the first byte, for another attempt to send it; false: it can be read only once.
  virtual bool rewind() { return false; }

  /// The whole of what is left as a file, or null. Whoever takes this way does not call read.
  virtual const FileSlice* file() const { return nullptr; }

  /// For a file(): brings [offset, offset+length) of it into the page cache on a thread that may
  /// block. The sender calls it when a probe says that the pages are not resident.
  virtual Task<Status> bring_in(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    co_return Status{};
  }

  /// The whole of what is left as the next bytes of a socket, or null: what has been received
  /// already must be read first. Read and splice may take turns.
  virtual BodySocket* socket() { return nullptr; }
};

/// A body that is in memory already.
class StringSource final : public BodySource {
 public:
  explicit StringSource(std::string text) : text_(std::move(text)) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t n = std::min(into.size(), text_.size() - at_);
    std::memcpy(into.data(), text_.data() + at_, n);
    at_ += n;
    co_return n;
  }
  std::optional<std::uint64_t> remaining() const override { return text_.size() - at_; }
  bool rewind() override {
    at_ = 0;
    return true;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

/// Reads `source` to its end. too_large when it has more than `limit` bytes.
Task<Result<std::string>> read_all(BodySource& source, std::size_t limit);

}  // namespace aisfs
