// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "common/s3/date.h"
#include "common/s3/error_body.h"
#include "common/s3/list_marker.h"
#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"

namespace aisfs::s3 {
namespace {

TEST(Date, BothFormsGoBothWays) {
  const std::int64_t at = 1369353600'123'000'000;
  EXPECT_EQ(iso_date(at), "2013-05-24T00:00:00.123Z");
  EXPECT_EQ(amz_date(at), "20130524T000000Z");
  EXPECT_EQ(parse_amz_date("20130524T000000Z"), 1369353600'000'000'000);
  EXPECT_EQ(parse_iso_date("2013-05-24T00:00:00.000Z"), 1369353600'000'000'000);
  EXPECT_EQ(iso_date(0), "1970-01-01T00:00:00.000Z");
  for (const char* bad : {"", "20130524T000000", "20131324T000000Z", "20130230T000000Z",
                          "20130524T240000Z", "2013O524T000000Z", "20130524T000000Z "}) {
    EXPECT_EQ(parse_amz_date(bad), std::nullopt) << bad;
  }
}

TEST(XmlReader, ReadsADocumentWithNamespaces) {
  const auto root = parse_xml(
      "<?xml version='1.0'?><Delete xmlns='http://s3/'><Quiet>true</Quiet>"
      "<Object><Key>a&amp;b&#x20;</Key></Object><s:Object "
      "xmlns:s='x'><Key>c</Key></s:Object></Delete>");
  ASSERT_TRUE(root.ok()) << root.error().what();
  EXPECT_EQ(root->name, "Delete");
  EXPECT_EQ(root->get("Quiet"), "true");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->children[1].get("Key"), "a&b ");
  EXPECT_EQ(root->children[2].name, "Object");
  EXPECT_EQ(root->find("None"), nullptr);
}

TEST(XmlReader, RefusesDoctypesEntitiesDepthAndSize) {
  EXPECT_FALSE(parse_xml("<!DOCTYPE a><a/>").ok());
  EXPECT_FALSE(parse_xml("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>").ok());
  EXPECT_FALSE(parse_xml("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>").ok());
  EXPECT_FALSE(parse_xml("<a>&undefined;</a>").ok());
  EXPECT_FALSE(parse_xml("<a><b></a>").ok());
  EXPECT_FALSE(parse_xml("").ok());
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "<a>";
  EXPECT_FALSE(parse_xml(deep).ok());
  EXPECT_FALSE(parse_xml("<a><b/><b/><b/></a>", {.nodes = 3}).ok());
  EXPECT_FALSE(parse_xml("<a>0123456789</a>", {.bytes = 10}).ok());
}

TEST(XmlWriter, EscapesAndNests) {
  XmlWriter xml("R", "ns");
  xml.open("C")
      .leaf("Key", "a<&>\"\x01")
      .leaf("Size", std::uint64_t{7})
      .close()
      .flag("More", false);
  EXPECT_EQ(
      std::move(xml).finish(),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"ns\"><C><Key>a&lt;&amp;&gt;&quot;"
      "&#1;</Key><Size>7</Size></C><More>false</More></R>");
}

TEST(ErrorBody, HasTheFieldsThatClientsRead) {
  const auto root = parse_xml(error_body({404, "NoSuchKey", "gone", {{"Key", "k"}}}, "/b/k", "42"));
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->get("Code"), "NoSuchKey");
  EXPECT_EQ(root->get("Key"), "k");
  EXPECT_EQ(root->get("RequestId"), "42");
}

TEST(ListMarker, OnlyOurOwnTokensAreRead) {
  for (const auto& name : {std::string("a/b"), std::string("\xff\x00z", 3), std::string()}) {
    EXPECT_EQ(*decode_marker(encode_marker(name)), name);
  }
  const std::string good = encode_marker("some/name");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(decode_marker(bad).ok()) << bad;
    EXPECT_FALSE(decode_marker(good.substr(0, i)).ok());
  }
}

}  // namespace
}  // namespace aisfs::s3
