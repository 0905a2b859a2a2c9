// SPDX-License-Identifier: MIT
// Changes that may have happened before (Conditions::unless_newer).
#include "common/model/version_key.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

class RepeatsTest : public StoreTest {
 protected:
  /// What a client knows before it sends something.
  Version watermark() const {
    Version last = store_->last_version();
    last.incarnation = std::numeric_limits<std::uint32_t>::max();
    return last;
  }
  Result<ObjectInfo> put_again(const std::string& name,
                               const std::string& body,
                               Version known,
                               PutOptions options = {}) {
    options.conditions.unless_newer = known;
    return put(name, body, std::move(options));
  }
  Status remove_again(const std::string& name, Version known) {
    RemoveOptions options{.missing_ok = true};
    options.conditions.unless_newer = known;
    return run(store_->remove(key(name), std::move(options), level_));
  }
  Result<ObjectInfo> set_again(const std::string& name, AttrChange change, Version known) {
    Conditions conditions{.unless_newer = known};
    return run(store_->set_attrs(key(name), std::move(change), std::move(conditions), level_));
  }
  Result<ObjectInfo> put_version(const std::string& body, PutOptions options = {}) {
    Key versioned = key("k");
    versioned.versioning = Versioning::kEnabled;
    StringSource source(body);
    ExpectedChecksums expected;
    return run(store_->put(std::move(versioned), std::move(options), std::move(expected), source));
  }
  Result<ObjectInfo> mark_deleted(Conditions conditions = {}) {
    Key versioned = key("k");
    versioned.versioning = Versioning::kEnabled;
    return run(store_->put_delete_marker(std::move(versioned), std::move(conditions), level_));
  }
  std::size_t versions() { return list({.limit = 100, .versions = true}).size(); }
};

TEST_F(RepeatsTest, APutThatHasNotHappenedIsDone) {
  ASSERT_TRUE(put("k", "old").ok());
  const Version known = watermark();
  ASSERT_TRUE(put_again("k", "new", known).ok());
  EXPECT_EQ(get("k").value_or(""), "new");
  ASSERT_TRUE(put_again("absent", "new", known).ok());
}

TEST_F(RepeatsTest, APutThatHasHappenedIsNotDoneTwice) {
  PutOptions options{.want_md5 = true, .content_type = "text/plain"};
  options.user["color"] = "blue";
  options.checksums["crc32c"] = "";
  const Version known = watermark();
  const auto first = put("k", "body", options);
  ASSERT_TRUE(first.ok());
  const auto again = put_again("k", "body", known, options);
  ASSERT_TRUE(again.ok()) << again.error().what();
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(*head("k"), *first);
}

TEST_F(RepeatsTest, ALargePutThatHasHappenedIsNotDoneTwice) {
  const std::string body(3_MiB + 7, 'x');
  const Version known = watermark();
  const auto first = put("k", body);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*put_again("k", body, known), *first);
}

TEST_F(RepeatsTest, APutUndoesNothingThatCameLater) {
  const Version known = watermark();
  ASSERT_TRUE(put("k", "mine").ok());
  ASSERT_TRUE(put("k", "their").ok());
  EXPECT_EQ(code(put_again("k", "mine", known)), Errc::timed_out);
  EXPECT_EQ(get("k").value_or(""), "their");
  ASSERT_TRUE(remove("k").ok());
  EXPECT_EQ(code(put_again("k", "mine", known)), Errc::timed_out);
  EXPECT_EQ(code(head("k")), Errc::not_found);
}

TEST_F(RepeatsTest, TheSameBytesWithOtherAttributesAreAnotherChange) {
  const Version known = watermark();
  PutOptions blue;
  blue.user["color"] = "blue";
  ASSERT_TRUE(put("k", "body", blue).ok());
  EXPECT_EQ(code(put_again("k", "body", known)), Errc::timed_out);
  EXPECT_TRUE(put_again("k", "body", known, blue).ok());
}

TEST_F(RepeatsTest, AnEtagThatWasGivenProvesNothing) {
  const Version known = watermark();
  const PutOptions tagged{.etag = "tag"};
  ASSERT_TRUE(put("k", "mine", tagged).ok());
  EXPECT_EQ(code(put_again("k", "them", known, tagged)), Errc::timed_out);
}

TEST_F(RepeatsTest, TheTombstoneCountsAfterARestartToo) {
  const Version known = watermark();
  ASSERT_TRUE(put("k", "mine").ok());
  ASSERT_TRUE(remove("k").ok());
  restart_without_index();
  EXPECT_EQ(code(put_again("k", "mine", known)), Errc::timed_out);
}

TEST_F(RepeatsTest, ADeleteSparesWhatCameLater) {
  ASSERT_TRUE(put("k", "old").ok());
  const Version known = watermark();
  ASSERT_TRUE(remove_again("k", known).ok());
  EXPECT_EQ(code(head("k")), Errc::not_found);
  EXPECT_TRUE(remove_again("k", known).ok());
  ASSERT_TRUE(put("k", "their").ok());
  EXPECT_EQ(code(remove_again("k", known)), Errc::timed_out);
  EXPECT_EQ(get("k").value_or(""), "their");
}

TEST_F(RepeatsTest, AttributesSpareWhatCameLater) {
  ASSERT_TRUE(put("k", "body").ok());
  const Version known = watermark();
  const AttrChange mine{.mode = 0600}, theirs{.mode = 0640};
  const auto first = set_again("k", mine, known);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*set_again("k", mine, known), *first);
  ASSERT_TRUE(run(store_->set_attrs(key("k"), theirs, {}, level_)).ok());
  EXPECT_EQ(code(set_again("k", mine, known)), Errc::timed_out);
  EXPECT_EQ(head("k")->posix->mode & 0777, 0640U);
}

TEST_F(RepeatsTest, ACopyUndoesNothingThatCameLater) {
  ASSERT_TRUE(put("from", "mine").ok());
  CopyOptions options;
  options.destination_conditions.unless_newer = watermark();
  const auto copied = run(store_->copy_local(key("from"), key("to"), options));
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(*run(store_->copy_local(key("from"), key("to"), options)), *copied);
  ASSERT_TRUE(put("to", "their").ok());
  EXPECT_EQ(code(run(store_->copy_local(key("from"), key("to"), options))), Errc::timed_out);
}

TEST_F(RepeatsTest, ARepeatedPutMakesOneVersion) {
  ASSERT_TRUE(put_version("old").ok());
  PutOptions again;
  again.conditions.unless_newer = watermark();
  const auto first = put_version("new");
  ASSERT_TRUE(first.ok());
  const auto second = put_version("new", again);
  ASSERT_TRUE(second.ok()) << second.error().what();
  EXPECT_EQ(*second, *first);
  EXPECT_EQ(versions(), 2U);
}

TEST_F(RepeatsTest, ARepeatedDeleteLeavesOneMarker) {
  ASSERT_TRUE(put_version("old").ok());
  const Conditions again{.unless_newer = watermark()};
  const auto first = mark_deleted(again);
  ASSERT_TRUE(first.ok());
  const auto second = mark_deleted(again);
  ASSERT_TRUE(second.ok()) << second.error().what();
  EXPECT_EQ(version_id(*second), version_id(*first));
  EXPECT_EQ(versions(), 2U);
  ASSERT_TRUE(put_version("their").ok());
  EXPECT_EQ(code(mark_deleted(again)), Errc::timed_out);
}

TEST_F(RepeatsTest, ACompletedUploadIsFoundUnderItsName) {
  const auto upload = run(store_->create_upload(key("k"), {}, "me"));
  ASSERT_TRUE(upload.ok());
  StringSource body("part");
  const auto part = run(store_->put_part(key("k"), *upload, 1, {}, body));
  ASSERT_TRUE(part.ok());
  const std::vector<CompletedPart> parts{{1, part->etag}};
  const Conditions again{.unless_newer = watermark()};
  ASSERT_TRUE(put("k", "their").ok());
  EXPECT_EQ(code(run(store_->complete_upload(key("k"), *upload, parts, again))), Errc::timed_out);
  EXPECT_EQ(get("k").value_or(""), "their");
  ASSERT_TRUE(run(store_->complete_upload(key("k"), *upload, parts, {})).ok());
  EXPECT_EQ(get("k").value_or(""), "part");
}

}  // namespace
}  // namespace aisfs::store
