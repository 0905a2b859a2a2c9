// SPDX-License-Identifier: MIT
#include "aisfs/mount/reply.h"

namespace aisfs::mount {

int errno_of(const Error& error) {
  const int err = info(error.code()).posix;
  return err == EAGAIN || err == EHOSTUNREACH ? EIO : err;
}

fuse_entry_param entry_param(const ops::Entry& entry, ops::Valid valid) {
  fuse_entry_param param = {};
  param.entry_timeout = seconds_of(valid.name);
  param.attr_timeout = seconds_of(valid.attr);
  param.ino = entry.nodeid;
  param.generation = 1;  // nodeids are never used twice
  param.attr = fs::stat_of(entry.attr);
  return param;
}

bool Reply::opened(const ops::Opened& opened) && {
  fuse_file_info info = {};
  info.fh = opened.handle;
  info.keep_cache = opened.keep_cache ? 1 : 0;
  info.noflush = opened.writes ? 0 : 1;
  return fuse_reply_open(take(), &info) == 0;
}

bool Reply::created(const ops::Created& created, ops::Valid valid) && {
  fuse_file_info info = {};
  info.fh = created.opened.handle;
  info.keep_cache = created.opened.keep_cache ? 1 : 0;
  const fuse_entry_param param = entry_param(created.entry, valid);
  return fuse_reply_create(take(), &param, &info) == 0;
}

bool Reply::opened_directory(ops::HandleId handle) && {
  fuse_file_info info = {};
  info.fh = handle;
  return fuse_reply_open(take(), &info) == 0;
}

void Reply::xattr(const std::string& value, std::size_t room) && {
  if (room == 0) {
    fuse_reply_xattr(take(), value.size());
  } else if (value.size() > room) {
    fuse_reply_err(take(), ERANGE);
  } else {
    fuse_reply_buf(take(), value.data(), value.size());
  }
}

}  // namespace aisfs::mount
