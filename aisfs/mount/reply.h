// SPDX-License-Identifier: MIT
#pragma once
#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

#include <string>
#include <utility>

#include "aisfs/ops/ops.h"

namespace aisfs::mount {

/// The errno of an operation's failure. What a node says while the cluster is in trouble
/// (not_ready, overloaded, unreachable) has lasted for the whole deadline when it comes here: EIO.
int errno_of(const Error& error);

/// `valid`: how long the kernel may believe it.
fuse_entry_param entry_param(const ops::Entry& entry, ops::Valid valid);

inline double seconds_of(Duration time) { return std::chrono::duration<double>(time).count(); }

/// One kernel request. Exactly one answer: the destructor sends EIO if nobody did. Any thread.
class Reply {
 public:
  explicit Reply(fuse_req_t request) : request_(request) {}
  Reply(Reply&& o) noexcept : request_(std::exchange(o.request_, nullptr)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (request_ != nullptr) fuse_reply_err(request_, EIO);
  }

  /// False from those that hand something over when the kernel no longer wants it (interrupted).
  void error(int err) && { fuse_reply_err(take(), err); }
  void error(const Error& e) && { fuse_reply_err(take(), errno_of(e)); }
  void ok() && { fuse_reply_err(take(), 0); }
  bool entry(const ops::Entry& entry, ops::Valid valid) && {
    const fuse_entry_param param = entry_param(entry, valid);
    return fuse_reply_entry(take(), &param) == 0;
  }
  void attr(const fs::Attr& attr, Duration valid) && {
    const struct stat st = fs::stat_of(attr);
    fuse_reply_attr(take(), &st, seconds_of(valid));
  }
  bool opened(const ops::Opened& opened) &&;
  bool created(const ops::Created& created, ops::Valid valid) &&;
  bool opened_directory(ops::HandleId handle) &&;
  void bytes(const std::string& bytes) && { fuse_reply_buf(take(), bytes.data(), bytes.size()); }
  void written(std::size_t count) && { fuse_reply_write(take(), count); }
  void link(const std::string& target) && { fuse_reply_readlink(take(), target.c_str()); }
  void statfs(const struct statvfs& st) && { fuse_reply_statfs(take(), &st); }
  void position(std::uint64_t at) && { fuse_reply_lseek(take(), static_cast<off_t>(at)); }
  /// An attribute's value: its size only when `room` is 0, ERANGE when it does not fit.
  void xattr(const std::string& value, std::size_t room) &&;

  fuse_req_t request() const { return request_; }
  /// False once it has been answered.
  bool is_open() const { return request_ != nullptr; }

 private:
  fuse_req_t take() { return std::exchange(request_, nullptr); }
  fuse_req_t request_;
};

}  // namespace aisfs::mount
