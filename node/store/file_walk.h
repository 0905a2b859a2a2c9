// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace aisfs::store {

/// Calls `visit` with the path (relative to `root`) of every regular file below `dir`, from
/// several threads at once. The first error ends the walk. A folder that is not there is empty.
Status walk_files(int root,
                  const std::string& dir,
                  const std::function<Status(const std::string& path)>& visit);

struct FolderNames {
  std::vector<std::string> files, folders;  // ascending; without the folder's path
};
/// What lies directly in `dir`; nothing for one that is not there.
Result<FolderNames> names_in(int root, const std::string& dir);

/// Removes the files that lie directly in `dir`; how many there were.
Result<std::uint64_t> remove_files_in(int root, const std::string& dir);

/// Removes `dir` and everything below it.
Status remove_tree(int root, const std::string& dir);

}  // namespace aisfs::store
