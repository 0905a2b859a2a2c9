// SPDX-License-Identifier: MIT
#include "common/client/copy_options.h"

#include "common/model/version_key.h"

namespace aisfs {

PutOptions put_options_of_copy(const CopyOptions& copy, const ObjectInfo& source) {
  PutOptions put = copy.put;
  put.conditions = copy.destination_conditions;
  put.etag = source.etag;
  if (put.checksums.empty()) put.checksums = source.checksums;
  if (copy.replace_metadata) return put;
  put.content_type = source.content_type;
  put.headers = source.headers;
  put.headers.erase(std::string(kVersionIdHeader));
  put.user = source.user;
  put.xattrs = source.xattrs;
  put.posix = source.posix;
  return put;
}

}  // namespace aisfs
