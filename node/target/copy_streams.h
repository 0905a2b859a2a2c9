// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/async/byte_stream.h"
#include "common/async/notifier.h"
#include "node/store/upload.h"
#include "node/target/peers.h"
#include "node/target/streamed_copy.h"

namespace aisfs::target {

/// The bytes of one object on their way to its other holders while they arrive at its owner. A
/// holder keeps them out of sight until it is told, with finish(), what has become of them here; it
/// takes nothing that has other hashes or is not newer. So a stream is never more than a head
/// start: who fails, or is too slow, or was not told gets the object as if there had been none.
///
/// Beside all send() at once:
///
///   CO_CHECK_OK(co_await streams.pass(body, upload));  // as upload.write_from(body)
///   CO_TRY(info, co_await upload.commit());
///   co_await streams.finish(holder, end, deadline);
///   streams.stop();                                    // however it ends
///
/// Everybody on one executor.
class CopyStreams {
 public:
  /// `context` is of this node. `peers` outlives it.
  CopyStreams(Peers& peers, Context context, StreamedCopy copy, std::vector<std::string> holders);

  std::size_t size() const { return pipes_.size(); }
  /// Sends to the i-th holder; returns with its answer, or when it cannot have it this way.
  Task<Status> send(std::size_t i);

  /// Reads `body` to its end into `upload`, at the pace of the slowest of all. The upload was
  /// promised kHashBlockBytes or more, so that its memory is one block, which is written over only
  /// when everybody has taken what was in it.
  Task<Status> pass(BodySource& body, store::Upload& upload);

  /// Returns when the holder has this object, published. not_found when it has not all bytes.
  Task<Status> finish(const std::string& holder, const CopyEnd& end, Deadline deadline);
  /// Who was not told to finish forgets what it has.
  void stop();

 private:
  class Pipe final : public BodySource {
   public:
    Pipe(CopyStreams& owner, std::string holder) : owner_(owner), holder_(std::move(holder)) {}
    Task<Result<std::size_t>> read(MutableBytes into) override;

    CopyStreams& owner_;
    const std::string holder_;
    ConstBytes rest_;
    std::string end_;             // behind the object's bytes
    bool ended_ = false;          // there is such an end, or it was given out already
    bool failed_ = false;         // nothing is given any more
    std::optional<Status> done_;  // its holder has answered
  };
  class Borrowing;

  bool all_taken() const;
  void push(ConstBytes bytes);
  /// Returns when all have taken what was pushed; who does not is left behind.
  Task<void> taken();
  void fail(Pipe& pipe);

  Peers& peers_;
  const Context context_;
  const StreamedCopy copy_;
  std::deque<Pipe> pipes_;
  bool whole_ = false;  // all bytes have been taken by those who have not failed
  Notifier changed_;
};

}  // namespace aisfs::target
