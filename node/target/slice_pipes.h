// SPDX-License-Identifier: MIT
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "common/async/lent_source.h"
#include "common/async/notifier.h"
#include "node/ec/encoder.h"

namespace aisfs::target {

/// Slices on their way from the one who makes them, a stripe at a time, to those who take them, all
/// at once. The blocks of a stripe are read where they lie: the next one can be made when all have
/// been taken. Everybody on one executor.
class SlicePipes {
 public:
  explicit SlicePipes(std::size_t slices);

  /// The bytes of the i-th slice, for the one who takes it. An error when the maker has failed.
  BodySource& body(std::size_t i) { return pipes_[i]; }

  // The maker's: in this order.

  /// Returns when all blocks of the stripe before have been taken, or given up; timed_out.
  Task<Status> taken(Deadline deadline);
  /// Of each slice one block.
  void push(const ec::Stripe& stripe);
  /// What follows the last block of each slice; these need not have been taken yet.
  void finish(std::vector<std::string> tails);
  /// What has been sent is of no use.
  void fail(Error error);

  /// The one who takes this slice has ended: nobody waits for it any more.
  void leave(std::size_t i);

 private:
  class Pipe final : public LentSource {
   public:
    explicit Pipe(SlicePipes& owner) : owner_(owner) {}
    Task<Result<ConstBytes>> lend() override;
    void give_back(std::size_t taken) override;

    SlicePipes& owner_;
    ConstBytes rest_;
    std::string tail_;
    bool ended_ = false;   // behind `rest_` comes the tail
    bool at_end_ = false;  // it is what `rest_` is of
    bool left_ = false;
  };

  bool all_taken() const;

  std::deque<Pipe> pipes_;
  std::optional<Error> failed_;
  Notifier changed_;
};

}  // namespace aisfs::target
