// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aisfs::s3 {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Escapes text for XML 1.0; control characters become numeric references, as S3 sends them.
std::string xml_escape(std::string_view text);

/// Writes a document from the outside in:
///
///   XmlWriter xml("ListBucketResult", kS3Namespace);
///   xml.open("Contents").leaf("Key", key).leaf("Size", size).close();
///   return std::move(xml).finish();
class XmlWriter {
 public:
  /// Begins the document with its root element; no namespace when `xmlns` is empty.
  explicit XmlWriter(std::string_view root, std::string_view xmlns = {});

  XmlWriter& open(std::string_view name);
  XmlWriter& close();
  XmlWriter& leaf(std::string_view name, std::string_view text);
  XmlWriter& leaf(std::string_view name, const char* text) {
    return leaf(name, std::string_view(text));
  }
  XmlWriter& leaf(std::string_view name, std::uint64_t number);
  XmlWriter& leaf(std::string_view name, bool value) = delete;  // flag() says so
  XmlWriter& flag(std::string_view name, bool value);

  /// Closes what is open and returns the text.
  std::string finish() &&;

 private:
  std::string text_;
  std::vector<std::string> open_;
};

}  // namespace aisfs::s3
