// SPDX-License-Identifier: MIT
// XML bodies of strangers. The tree stays within its limits, and what it holds survives being
// written and read again.
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"

namespace aisfs::s3 {
namespace {

std::size_t count(const XmlNode& node, std::size_t depth) {
  AISFS_ASSERT(depth <= 8);
  std::size_t nodes = 1;
  for (const auto& child : node.children) nodes += count(child, depth + 1);
  return nodes;
}

void check_text(const XmlNode& node) {
  // Carriage returns are normalised by XML itself unless they are references, which the writer
  // makes of them, so the text must come back exactly.
  XmlWriter xml("R");
  xml.leaf("T", node.text);
  const auto again = parse_xml(std::move(xml).finish());
  if (again.ok()) AISFS_ASSERT(again->get("T") == node.text);
  for (const auto& child : node.children) check_text(child);
}

}  // namespace
}  // namespace aisfs::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto root = aisfs::s3::parse_xml({reinterpret_cast<const char*>(data), size},
                                         {.bytes = 4096, .depth = 8, .nodes = 100});
  if (!root.ok()) return 0;
  AISFS_ASSERT(aisfs::s3::count(*root, 1) <= 100);
  aisfs::s3::check_text(*root);
  return 0;
}
