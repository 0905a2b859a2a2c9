// SPDX-License-Identifier: MIT
#include "common/s3/xml_reader.h"

#include <expat.h>

#include <memory>

namespace aisfs::s3 {
namespace {

struct FreeParser {
  void operator()(XML_ParserStruct* parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, FreeParser>;

/// Builds the tree from expat's events; stops the parser at the first thing that is refused.
class Builder {
 public:
  Builder(XML_Parser parser, const XmlLimits& limits) : parser_(parser), limits_(limits) {}

  void begin(std::string_view name) {
    const auto colon = name.rfind(':');
    if (colon != name.npos) name.remove_prefix(colon + 1);
    if (path_.size() >= limits_.depth) return refuse("nested too deeply");
    if (++nodes_ > limits_.nodes) return refuse("too many elements");
    if (path_.empty()) {
      root_.name = name;
      path_.push_back(&root_);
      return;
    }
    auto& siblings = path_.back()->children;
    siblings.push_back({.name = std::string(name), .text = {}, .children = {}});
    path_.push_back(&siblings.back());  // its siblings come only after it was closed
  }
  void end() { path_.pop_back(); }
  void text(std::string_view piece) {
    if (!path_.empty()) path_.back()->text.append(piece);
  }
  void refuse(const char* why) {
    if (refused_ == nullptr) refused_ = why;
    XML_StopParser(parser_, XML_FALSE);
  }

  const char* refused() const { return refused_; }
  XmlNode take() { return std::move(root_); }

 private:
  XML_Parser parser_;
  const XmlLimits& limits_;
  XmlNode root_;
  std::vector<XmlNode*> path_;
  std::size_t nodes_ = 0;
  const char* refused_ = nullptr;
};

Builder& builder(void* user) { return *static_cast<Builder*>(user); }

void set_handlers(XML_Parser parser, Builder& to) {
  XML_SetUserData(parser, &to);
  XML_SetElementHandler(
      parser, [](void* user, const XML_Char* name, const XML_Char**) { builder(user).begin(name); },
      [](void* user, const XML_Char*) { builder(user).end(); });
  XML_SetCharacterDataHandler(parser, [](void* user, const XML_Char* text, int size) {
    builder(user).text({text, static_cast<std::size_t>(size)});
  });
  XML_SetStartDoctypeDeclHandler(
      parser, [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        builder(user).refuse("a document type is not allowed");
      });
  XML_SetEntityDeclHandler(parser,
                           [](void* user, const XML_Char*, int, const XML_Char*, int,
                              const XML_Char*, const XML_Char*, const XML_Char*, const XML_Char*) {
                             builder(user).refuse("entities are not allowed");
                           });
}

Error malformed(std::string_view why) {
  return Error(Errc::invalid_argument, "XML: " + std::string(why));
}

}  // namespace

const XmlNode* XmlNode::find(std::string_view child) const {
  for (const XmlNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

std::string_view XmlNode::get(std::string_view child) const {
  const XmlNode* node = find(child);
  return node == nullptr ? std::string_view{} : std::string_view(node->text);
}

Result<XmlNode> parse_xml(std::string_view text, const XmlLimits& limits) {
  if (text.size() > limits.bytes) return malformed("document is too large");
  const Parser parser(XML_ParserCreate("UTF-8"));
  if (!parser) return malformed("no memory");
  Builder tree(parser.get(), limits);
  set_handlers(parser.get(), tree);
  const auto outcome =
      XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (tree.refused() != nullptr) return malformed(tree.refused());
  if (outcome != XML_STATUS_OK) {
    return malformed(XML_ErrorString(XML_GetErrorCode(parser.get())));
  }
  return tree.take();
}

}  // namespace aisfs::s3
