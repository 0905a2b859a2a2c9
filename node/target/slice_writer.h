// SPDX-License-Identifier: MIT
// Objects become slices, and lost slices are made anew.
#pragma once
#include <functional>

#include "node/ec/encoder.h"
#include "node/target/slice_plan.h"
#include "node/target/sliced_body.h"

namespace aisfs::target {

/// What is split.
struct Splitting {
  store::Key key;
  store::Reference content;          // what becomes of it (store::sliced)
  std::vector<std::string> holders;  // as many as slices: who gets which
  Durability level = Durability::kFull;
  std::uint64_t bytes = 0;  // of the object, if they are known
};

/// Reads all of `body` and puts a slice to each holder; returns when all are as durable as the
/// level says, with those that their holders have not taken, as many as may be lost. `update` sees
/// the bytes before they are encoded, on a thread that may compute; `describe` is called at the end
/// and says what goes into the headers (store::pack_meta). Fails if more holders do; the slices
/// that are there then are of no use. All arguments outlive the task.
Task<Result<ec::SliceSet>> split(
    const SliceAccess& access,
    Context context,
    const Splitting& splitting,
    BodySource& body,
    const std::function<void(ConstBytes)>& update,
    const std::function<Result<std::string>(const ec::EncodedObject&)>& describe);

/// Carries out the moves of a plan, durably. Fails when one fails; not_ready or corrupt when there
/// are not enough slices to make one of.
Task<Status> carry_out(const SliceAccess& access,
                       Context context,
                       store::Key key,
                       store::Reference content,
                       SlicePlan plan);

}  // namespace aisfs::target
