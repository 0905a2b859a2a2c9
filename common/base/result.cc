// SPDX-License-Identifier: MIT
#include "common/base/result.h"

#include <cstring>
#include <system_error>

namespace aisfs {

Error&& Error::context(std::string_view outer) && {
  std::string text(outer);
  if (!what_.empty()) text.append(": ").append(what_);
  what_ = std::move(text);
  return std::move(*this);
}

Errc errc_of_errno(int err) {
  switch (err) {
    case ENOENT: return Errc::not_found;
    case EEXIST: return Errc::already_exists;
    case EACCES: return Errc::permission_denied;
    case EPERM: return Errc::not_permitted;
    case EINVAL: return Errc::invalid_argument;
    case ENOSPC:
    case EDQUOT: return Errc::no_space;
    case ENOTEMPTY: return Errc::not_empty;
    case EISDIR: return Errc::is_directory;
    case ENOTDIR: return Errc::not_directory;
    case EXDEV: return Errc::cross_device;
    case ENAMETOOLONG: return Errc::name_too_long;
    case EFBIG: return Errc::too_large;
    case ENOTSUP: return Errc::unsupported;
    case EROFS: return Errc::read_only;
    case EBUSY: return Errc::busy;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: return Errc::overloaded;
    case ETIMEDOUT: return Errc::timed_out;
    case EINTR:
    case ECANCELED: return Errc::cancelled;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH: return Errc::unreachable;
    case ENODATA: return Errc::no_attribute;
    case EMLINK: return Errc::too_many_links;
    case ELOOP: return Errc::loop;
    default: return Errc::io;
  }
}

Error errno_error(std::string_view doing, int err) {
  std::string text(doing);
  text.append(": ").append(std::generic_category().message(err));
  return Error(errc_of_errno(err), std::move(text));
}

}  // namespace aisfs
