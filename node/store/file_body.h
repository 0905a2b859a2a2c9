// SPDX-License-Identifier: MIT
#pragma once
#include "node/store/engine.h"

namespace aisfs::store {

/// A range of an object's file on its way out. What is verified (or need not be) leaves as a file
/// slice; the rest is read and compared block by block.
class FileBody final : public BodySource {
 public:
  FileBody(Engine& engine, std::shared_ptr<OpenFile> file, ByteRange range, VerifyRead mode);

  Task<Result<std::size_t>> read(MutableBytes into) override;
  std::optional<std::uint64_t> remaining() const override { return slice_.length; }
  const FileSlice* file() const override { return trusted() ? &slice_ : nullptr; }
  Task<Status> bring_in(std::uint64_t offset, std::uint64_t length) override;

  /// For an object of one block that is to be verified: loads it, so that what follows is in memory.
  Status load_first();

 private:
  bool trusted() const { return file_->is_trusted(mode_); }
  std::size_t take_loaded(MutableBytes into);
  Status load(std::uint64_t block);
  disk::IoPool& pool() { return file_->mountpath->pool(); }

  Engine& engine_;
  const std::shared_ptr<OpenFile> file_;
  const VerifyRead mode_;
  FileSlice slice_;  // what is left
  std::unique_ptr<std::byte[]> block_;
  std::uint64_t loaded_ = 0;  // index of the block in block_, if there is one
};

}  // namespace aisfs::store
