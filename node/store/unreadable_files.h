// SPDX-License-Identifier: MIT
#pragma once
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "node/store/mountpath.h"

namespace aisfs::store {

/// Files that a recovery cannot make anything of. Which versions of their names they are nobody can
/// say; that the names exist is what paths tell, unless they are escaped ones. Thread-safe.
class UnreadableFiles {
 public:
  explicit UnreadableFiles(Mountpath& mountpath) : mp_(mountpath) {}

  /// The file at `path` in a bucket's folder: its name is lost (lost_names.h).
  void add(BucketId bucket, const std::string& dir, const std::string& path, const Error& why);
  /// One that nobody was promised.
  void forget(const std::string& path, const Error& why);
  void lose(Name name);

  /// The names are lost, durably. What the log says of them may be older than the files were.
  Status lose_names();
  /// That, and the files go to %bad; how many.
  Result<std::uint64_t> set_aside();

 private:
  Mountpath& mp_;
  std::mutex mutex_;
  std::vector<Name> lost_;                            // guarded by mutex_
  std::vector<std::pair<std::string, Error>> files_;  // by path; guarded by mutex_
};

}  // namespace aisfs::store
