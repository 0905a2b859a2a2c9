// SPDX-License-Identifier: MIT
#include "common/model/object.h"

namespace aisfs {

Status validate_key(std::string_view key) {
  if (key.empty()) return Error(Errc::invalid_argument, "object name is empty");
  if (key.size() > kKeyBytesMax) {
    return Error(Errc::name_too_long,
                 "object name has " + std::to_string(key.size()) + " bytes, at most " +
                     std::to_string(kKeyBytesMax) + " are allowed");
  }
  if (key.find('\0') != key.npos) {
    return Error(Errc::invalid_argument, "object name contains a NUL byte");
  }
  return {};
}

}  // namespace aisfs
