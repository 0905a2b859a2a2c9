// SPDX-License-Identifier: MIT
#include "tests/unit/node/front/s3/s3_fixture.h"

namespace aisfs::front::s3 {
namespace {

class S3VersioningTest : public S3Test {
 protected:
  S3VersioningTest() { put("/b-1"); }

  Response configure(const std::string& status) {
    return put("/b-1?versioning", "<VersioningConfiguration><Status>" + status +
                                      "</Status></VersioningConfiguration>");
  }
  std::string write(const std::string& key, const std::string& body) {
    return put("/b-1/" + key, body).header("x-amz-version-id");
  }
  /// "<key> <id>" of versions, with "*" for the latest, "-" for delete markers.
  std::vector<std::string> versions(const std::string& query = {}) {
    std::vector<std::string> out;
    for (const auto& node : get("/b-1?versions" + query).xml().children) {
      const bool marker = node.name == "DeleteMarker";
      if (!marker && node.name != "Version") continue;
      std::string line(node.get("Key"));
      line.append(" ").append(node.get("VersionId"));
      if (marker) line += " -";
      if (node.get("IsLatest") == "true") line += " *";
      out.push_back(std::move(line));
    }
    return out;
  }
  using Lines = std::vector<std::string>;
};

TEST_F(S3VersioningTest, ItIsOffThenEnabledOrSuspended) {
  EXPECT_EQ(get("/b-1?versioning").xml().find("Status"), nullptr);
  EXPECT_EQ(configure("Enabled").status, 200);
  EXPECT_EQ(get("/b-1?versioning").xml().get("Status"), "Enabled");
  EXPECT_EQ(configure("Suspended").status, 200);
  EXPECT_EQ(get("/b-1?versioning").xml().get("Status"), "Suspended");
  EXPECT_EQ(configure("Off").code(), "IllegalVersioningConfigurationException");
  EXPECT_EQ(put("/b-1?versioning", "<Other/>").code(), "MalformedXML");
}

TEST_F(S3VersioningTest, WithoutItAnObjectIsItsNullVersionAndAnswersSayNothing) {
  const auto written = put("/b-1/a", "1");
  EXPECT_FALSE(written.fields.has("x-amz-version-id"));
  EXPECT_FALSE(get("/b-1/a").fields.has("x-amz-version-id"));
  EXPECT_EQ(get("/b-1/a?versionId=null").body, "1");
  EXPECT_EQ(versions(), Lines{"a null *"});
}

TEST_F(S3VersioningTest, EachPutIsAVersionThatIsReadByItsId) {
  write("a", "0");
  configure("Enabled");
  const std::string one = write("a", "1"), two = write("a", "22");
  EXPECT_EQ(get("/b-1/a").body, "22");
  EXPECT_EQ(get("/b-1/a").header("x-amz-version-id"), two);
  EXPECT_EQ(get("/b-1/a?versionId=" + one).body, "1");
  EXPECT_EQ(get("/b-1/a?versionId=null").body, "0");
  EXPECT_EQ(head("/b-1/a?versionId=" + two).header("Content-Length"), "2");
  EXPECT_EQ(get("/b-1/a?versionId=" + one, {{"Range", "bytes=0-0"}}).status, 206);
  EXPECT_EQ(get("/b-1/a?versionId=" + std::string(32, '0')).code(), "NoSuchVersion");
  EXPECT_EQ(get("/b-1/a?versionId=made-up").code(), "InvalidArgument");
  EXPECT_EQ(versions(), (Lines{"a " + two + " *", "a " + one, "a null"}));
}

TEST_F(S3VersioningTest, ADeleteLeavesAMarkerThatItsOwnDeleteTakesAway) {
  configure("Enabled");
  const std::string one = write("a", "1");
  const auto removed = del("/b-1/a");
  EXPECT_EQ(removed.status, 204);
  EXPECT_EQ(removed.header("x-amz-delete-marker"), "true");
  const std::string marker = removed.header("x-amz-version-id");
  const auto missing = get("/b-1/a");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.code(), "NoSuchKey");
  EXPECT_EQ(missing.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(head("/b-1/a").status, 404);
  const auto named = get("/b-1/a?versionId=" + marker);
  EXPECT_EQ(named.status, 405);
  EXPECT_EQ(named.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(versions(), (Lines{"a " + marker + " - *", "a " + one}));
  EXPECT_EQ(del("/b-1").code(), "BucketNotEmpty");
  const auto gone = del("/b-1/a?versionId=" + marker);
  EXPECT_EQ(gone.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(gone.header("x-amz-version-id"), marker);
  EXPECT_EQ(get("/b-1/a").body, "1");
  EXPECT_EQ(del("/b-1/a?versionId=" + one).header("x-amz-version-id"), one);
  EXPECT_EQ(del("/b-1").status, 204);
}

TEST_F(S3VersioningTest, SeveralAreDeletedByKeyOrByVersion) {
  configure("Enabled");
  const std::string one = write("a", "1");
  write("b", "1");
  const auto answer = post("/b-1?delete", "<Delete><Object><Key>a</Key><VersionId>" + one +
                                              "</VersionId></Object><Object><Key>b</Key></Object>"
                                              "</Delete>");
  const auto deleted = answer.xml().children;
  ASSERT_EQ(deleted.size(), 2u);
  EXPECT_EQ(deleted[0].get("VersionId"), one);
  EXPECT_EQ(deleted[0].find("DeleteMarker"), nullptr);
  EXPECT_EQ(deleted[1].get("DeleteMarker"), "true");
  const std::string marker(deleted[1].get("DeleteMarkerVersionId"));
  const auto again = post("/b-1?delete", "<Delete><Object><Key>b</Key><VersionId>" + marker +
                                             "</VersionId></Object></Delete>");
  EXPECT_EQ(again.xml().children.at(0).get("DeleteMarkerVersionId"), marker);
  EXPECT_EQ(get("/b-1/b").body, "1");
}

TEST_F(S3VersioningTest, SuspendedThereIsOneVersionWithoutAnId) {
  configure("Enabled");
  const std::string one = write("a", "1");
  configure("Suspended");
  EXPECT_EQ(write("a", "2"), "");
  write("a", "3");
  EXPECT_EQ(get("/b-1/a").header("x-amz-version-id"), "null");
  EXPECT_EQ(versions(), (Lines{"a null *", "a " + one}));
  EXPECT_EQ(del("/b-1/a").header("x-amz-version-id"), "null");
  EXPECT_EQ(versions(), (Lines{"a null - *", "a " + one}));
}

TEST_F(S3VersioningTest, AListingPagesThroughVersions) {
  configure("Enabled");
  for (const char* key : {"a", "a", "a", "d/x", "d/x", "e"}) write(key, "1");
  const auto all = versions();
  EXPECT_EQ(all.size(), 6u);
  Lines paged;
  std::string query = "&max-keys=1";
  for (bool more = true; more;) {
    for (const auto& line : versions(query)) paged.push_back(line);
    const auto page = get("/b-1?versions" + query).xml();
    more = page.get("IsTruncated") == "true";
    query = "&max-keys=1&key-marker=" + std::string(page.get("NextKeyMarker")) +
            "&version-id-marker=" + std::string(page.get("NextVersionIdMarker"));
  }
  EXPECT_EQ(paged, all);
  EXPECT_EQ(versions("&key-marker=a").size(), 3u);
  EXPECT_EQ(versions("&delimiter=/").size(), 4u);
  EXPECT_EQ(versions("&prefix=d/").size(), 2u);
  EXPECT_EQ(get("/b-1?versions&version-id-marker=x").code(), "InvalidArgument");
}

TEST_F(S3VersioningTest, ACopyReadsAVersionAndTellsWhich) {
  configure("Enabled");
  const std::string one = write("a", "1");
  write("a", "2");
  const auto copied = put("/b-1/c", {}, {{"x-amz-copy-source", "/b-1/a?versionId=" + one}});
  EXPECT_EQ(copied.header("x-amz-copy-source-version-id"), one);
  EXPECT_FALSE(copied.header("x-amz-version-id").empty());
  EXPECT_EQ(get("/b-1/c").body, "1");
  const std::string marker = del("/b-1/a").header("x-amz-version-id");
  const auto refused = put("/b-1/c", {}, {{"x-amz-copy-source", "/b-1/a?versionId=" + marker}});
  EXPECT_EQ(refused.code(), "InvalidRequest");
}

TEST_F(S3VersioningTest, TagsAndAclsBelongToAVersion) {
  configure("Enabled");
  const std::string one = write("a", "1");
  write("a", "2");
  const std::string tags =
      "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(put("/b-1/a?tagging&versionId=" + one, tags).status, 200);
  EXPECT_NE(get("/b-1/a?tagging&versionId=" + one).body.find("<Key>k</Key>"), std::string::npos);
  EXPECT_EQ(get("/b-1/a?tagging").body.find("<Key>k</Key>"), std::string::npos);
  EXPECT_EQ(put("/b-1/a?acl&versionId=" + one, {}, {{"x-amz-acl", "public-read"}}).status, 200);
  EXPECT_EQ(get("/b-1/a?acl").body.find("AllUsers"), std::string::npos);
  EXPECT_NE(get("/b-1/a?acl&versionId=" + one).body.find("AllUsers"), std::string::npos);
}

}  // namespace
}  // namespace aisfs::front::s3
