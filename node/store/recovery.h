// SPDX-License-Identifier: MIT
#pragma once
#include "node/store/mountpath.h"
#include "node/store/store.h"

namespace aisfs::store {

struct Recovered {
  RecoveryReport report;
  /// Renames to another mountpath that may have been cut in two: see finish_renames.
  std::vector<RenameIntentRecord> renames;
};

/// Makes the index say what is on disk, and the disk hold nothing that is not in the index.
///
/// An index that survived (kill -9, or a clean stop) needs only the names that the log's tail since
/// the checkpoint mentions. One that did not (power loss) is made anew: first what the log knows
/// and no file can say (deletes, references), then every file, which counts only if it is newer.
/// Blocks; nothing else uses the mountpath yet.
Result<Recovered> recover(Mountpath& mountpath);

}  // namespace aisfs::store
