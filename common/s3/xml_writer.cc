// SPDX-License-Identifier: MIT
#include "common/s3/xml_writer.h"

#include "common/base/assert.h"

namespace aisfs::s3 {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: {
        const auto u = static_cast<unsigned char>(c);
        if (u < 0x20 || u == 0x7f) {
          out += "&#";
          out += std::to_string(static_cast<unsigned>(u));
          out += ';';
        } else {
          out += c;
        }
      }
    }
  }
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  append_escaped(out, text);
  return out;
}

XmlWriter::XmlWriter(std::string_view root, std::string_view xmlns)
    : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<") {
  text_.append(root);
  if (!xmlns.empty()) text_.append(" xmlns=\"").append(xmlns).append("\"");
  text_ += '>';
  open_.emplace_back(root);
}

XmlWriter& XmlWriter::open(std::string_view name) {
  text_.append("<").append(name).append(">");
  open_.emplace_back(name);
  return *this;
}

XmlWriter& XmlWriter::close() {
  AISFS_ASSERT(!open_.empty());
  text_.append("</").append(open_.back()).append(">");
  open_.pop_back();
  return *this;
}

XmlWriter& XmlWriter::leaf(std::string_view name, std::string_view text) {
  text_.append("<").append(name).append(">");
  append_escaped(text_, text);
  text_.append("</").append(name).append(">");
  return *this;
}

XmlWriter& XmlWriter::leaf(std::string_view name, std::uint64_t number) {
  return leaf(name, std::string_view(std::to_string(number)));
}

XmlWriter& XmlWriter::flag(std::string_view name, bool value) {
  return leaf(name, std::string_view(value ? "true" : "false"));
}

std::string XmlWriter::finish() && {
  while (!open_.empty()) close();
  return std::move(text_);
}

}  // namespace aisfs::s3
