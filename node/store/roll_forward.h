// SPDX-License-Identifier: MIT
// PUTs that were acknowledged, or nearly, and whose files may not be what they promise: what
// recovery does with the records of %intent.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/store/lost_names.h"
#include "node/store/mountpath.h"
#include "node/store/object_file.h"

namespace aisfs::store {

/// What the records of %intent add up to.
struct IntentSum {
  struct Staged {
    std::set<Version> versions;  // without those that failed
    Version certain;             // the newest whose content is in its record
  };
  std::map<Name, Staged> staged;
  std::map<Name, Version> tombstones;  // the newest
  std::uint64_t records = 0;
};
Result<IntentSum> sum_up_intents(const IntentLog& intents);

/// What the rest of recovery knows.
struct RollForwardRules {
  /// The bucket's folder; nullopt when the bucket is gone.
  std::function<std::optional<std::string>(BucketId)> dir_of;
  /// The version that deleted the name or made it a reference, if any.
  std::function<Version(const Name&)> gone_at;
  /// Files may be torn: power was lost.
  bool doubt_files = true;
};

/// Puts the newest staged version of every name into place, unless something newer is known or
/// there. How many it had to. The work folder is as the crash left it; files are as durable as they
/// were.
Result<std::uint64_t> roll_forward(Mountpath& mountpath,
                                   const IntentSum& sum,
                                   const RollForwardRules& rules);

/// The newest whole file of the name, at its plain or its escaped path; null when there is none.
std::shared_ptr<OpenFile> find_file(const Mountpath& mountpath,
                                    const std::string& dir,
                                    const Name& name,
                                    bool& escaped);

}  // namespace aisfs::store
