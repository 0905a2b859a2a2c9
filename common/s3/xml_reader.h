// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace aisfs::s3 {

/// An element of a small document. Attributes and namespaces are dropped.
struct XmlNode {
  std::string name;  // without prefix
  std::string text;  // of the element itself, not of its children
  std::vector<XmlNode> children;

  /// The first child of that name, or null.
  const XmlNode* find(std::string_view child) const;
  /// Its text, "" for none.
  std::string_view get(std::string_view child) const;
};

struct XmlLimits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 32;
  std::size_t nodes = 100000;
};

/// The root of `text`. invalid_argument for what is not well-formed, has a DTD or an entity
/// declaration, or exceeds a limit; memory stays below a small multiple of the input.
Result<XmlNode> parse_xml(std::string_view text, const XmlLimits& limits = {});

}  // namespace aisfs::s3
