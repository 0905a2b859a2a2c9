// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>

#include "common/async/byte_stream.h"
#include "common/base/once_made.h"
#include "common/model/object.h"

namespace aisfs {

/// An object that is open and verified, in one version. Shared by all who send it; nothing in it
/// changes.
struct HotObject {
  const ObjectInfo& info;     // lives as long as this
  const std::string content;  // all of a small object; "" of others
  /// What the native API says of `info` in a response's head.
  mutable OnceMade<std::string> native_fields = {};
};

/// All of a hot object on its way to one reader.
struct HotRead {
  std::shared_ptr<const HotObject> object;
  std::unique_ptr<BodySource> body;  // null: object->content is all of it
};

}  // namespace aisfs
