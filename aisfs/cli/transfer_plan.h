// SPDX-License-Identifier: MIT
// What goes where in a put or get of many files: decided before a byte moves.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aisfs/cli/location.h"
#include "common/client/object_api.h"

namespace aisfs::cli {

struct TransferItem {
  enum class Kind : std::uint8_t { kFile, kSymlink, kDirectory };
  Kind kind = Kind::kFile;
  std::string local;  // path of the file here
  ObjectName object;
  std::uint64_t size = 0;
  PosixAttrs posix;  // of the source; mode 0: not known
};

struct TransferPlan {
  std::vector<TransferItem> items;
  std::uint64_t bytes = 0;
  std::vector<Error> refused;  // what cannot be transferred, each with its name

  void add(TransferItem item) {
    bytes += item.size;
    items.push_back(std::move(item));
  }
};

/// The key of one file: `to` itself, or below it when it names a bucket or ends in '/'.
std::string key_for_file(std::string_view local, const Location& to);

/// Adds one file. Reads the disk: not on an io thread.
Status plan_put_file(TransferPlan& plan, const std::string& local, const Location& to);

/// Everything below the folder. "put -r photos demo/2024" gives demo/2024/a.jpg, whether or not
/// there is a '/' at the end. Sockets, pipes and devices are refused, each by name; an empty folder
/// becomes a directory. Follows no symbolic link. Reads the disk: not on an io thread.
Result<TransferPlan> plan_put(std::string folder, Location to);

/// Where the object lands below `folder`: its key without the prefix up to the last '/' of it.
/// invalid_argument for a key that would lead out of the folder or that no file can have.
Result<std::string> local_path_for(std::string_view key,
                                   std::string_view prefix,
                                   std::string_view folder);

/// Adds one listed object to the plan of a get into `folder`.
void plan_get_entry(TransferPlan& plan,
                    const Location& from,
                    const ListEntry& entry,
                    std::string_view folder);

}  // namespace aisfs::cli
