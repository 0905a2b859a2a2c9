// SPDX-License-Identifier: MIT
// Where a listing goes on: opaque to clients, made of the last name.
#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::s3 {

/// A token that stands for "after `name`" in a listing.
std::string encode_marker(std::string_view name);
/// invalid_argument for anything that encode_marker did not make.
Result<std::string> decode_marker(std::string_view token);

}  // namespace aisfs::s3
