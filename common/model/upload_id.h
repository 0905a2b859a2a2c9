// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace aisfs {

/// The id of a multipart upload as clients have it: "<id at the target>.<target>". Its parts stay
/// where it began, whoever owns the key by now.
struct UploadId {
  std::string local;
  std::string node;  // "" in ids of releases before targets could come and go

  static UploadId parse(std::string_view text) {
    const auto dot = text.find('.');
    if (dot == text.npos) return {std::string(text), {}};
    return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
  }
  std::string to_string() const { return node.empty() ? local : local + "." + node; }
};

}  // namespace aisfs
