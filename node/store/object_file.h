// SPDX-License-Identifier: MIT
// Objects as files: the steps that mutations and recovery are made of. All block.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "node/store/key.h"
#include "node/store/layout.h"
#include "node/store/mountpath.h"
#include "node/store/open_files.h"

namespace aisfs::store {

/// A file under %wk that goes with this object unless it was published.
class WorkFile {
 public:
  static Result<WorkFile> create(Mountpath& mountpath);
  /// A spare of the bucket of about `size` bytes, of which `stale` has what is in it; else a new
  /// one, with `stale` 0.
  static Result<WorkFile> reuse(Mountpath& mountpath,
                                BucketId bucket,
                                std::uint64_t size,
                                std::uint64_t& stale);
  /// A file that has a name already becomes one.
  static Result<WorkFile> adopt(Mountpath& mountpath, std::string path);
  WorkFile(WorkFile&& o) noexcept
      : root_(o.root_), path_(std::exchange(o.path_, {})), fd_(std::move(o.fd_)) {}
  WorkFile& operator=(WorkFile&&) = delete;
  ~WorkFile();

  int fd() const { return fd_.get(); }
  int root() const { return root_; }  // of the mountpath that it lies on
  const std::string& path() const { return path_; }
  /// It has another name now: the destructor only closes it.
  void published() { path_.clear(); }
  /// The file at path() is somebody else's to remove.
  std::string release() { return std::exchange(path_, {}); }

 private:
  WorkFile(int root, std::string path, UniqueFd fd)
      : root_(root), path_(std::move(path)), fd_(std::move(fd)) {}
  int root_;
  std::string path_;
  UniqueFd fd_;
};

/// The metadata of an open file in the bucket's folder. corrupt, no_attribute (not an object).
Result<StoredMeta> read_meta(const Mountpath& mountpath, const std::string& bucket_dir, int fd);

/// What has to be in place before the xattr of `meta` is. Returns the xattr.
Result<std::string> write_side(const Mountpath& mountpath,
                               const std::string& bucket_dir,
                               const StoredMeta& meta);
/// Removes the side file of a version that has been replaced, if it had one.
void remove_side(const Mountpath& mountpath,
                 const std::string& bucket_dir,
                 std::string_view key,
                 Version meta_version);

/// Renames a work file to the object's name; makes folders as needed. An object that exists stays
/// at its path (`there`); a new one goes to its plain path unless another name is in the way.
Result<layout::ObjectPath> place(const Mountpath& mountpath,
                                 const std::string& bucket_dir,
                                 std::string_view key,
                                 std::optional<bool> there_escaped,
                                 const std::string& work_path);

/// Where an object with this record lies.
std::string path_of(const std::string& bucket_dir, std::string_view key, bool escaped);

/// The bucket's folder; the name was validated when the bucket was made.
std::string dir_of(const BucketName& bucket);

/// Opens the file at `path` and reads its metadata. corrupt when the file has not the size that
/// its metadata promises.
Result<std::shared_ptr<OpenFile>> open_object_file(const Mountpath& mountpath,
                                                   const std::string& bucket_dir,
                                                   const std::string& path);

/// Reads the 1 MiB block into `into` (of the block's size). It is compared with its hash unless
/// that has happened before and `mode` is content with it. corrupt names the block.
Status load_block(OpenFile& file, std::uint64_t block, MutableBytes into, VerifyRead mode);
/// Bytes that the block has.
std::size_t block_size(const OpenFile& file, std::uint64_t block);

}  // namespace aisfs::store
