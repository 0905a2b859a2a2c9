// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/base/once_made.h"
#include "common/model/object.h"

namespace aisfs {

/// A small object that is in memory as a whole, in one version. Shared by all who send it; nothing
/// in it changes.
struct HotObject {
  const ObjectInfo& info;  // lives as long as this
  const std::string content;
  /// What the native API says of `info` in a response's head.
  mutable OnceMade<std::string> native_fields = {};
};

}  // namespace aisfs
