// SPDX-License-Identifier: MIT
// Large objects reach their other holder while they arrive at their owner.
#include "node/target/copy_streams.h"
#include "tests/unit/node/target/mirror_fixture.h"

namespace aisfs::target {
namespace {

std::string some_bytes(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(seed = seed * 1664525 + 1013904223);
  return bytes;
}

/// A body in small pieces; something happens when half of it is out.
class SlowSource final : public BodySource {
 public:
  SlowSource(std::string text, std::function<Status()> midway)
      : inner_(text), half_(text.size() / 2), midway_(std::move(midway)) {}
  Task<Result<std::size_t>> read(MutableBytes into) override {
    if (*inner_.remaining() <= half_ && midway_) {
      CO_CHECK_OK(std::exchange(midway_, nullptr)());
    }
    co_return co_await inner_.read(into.first(std::min<std::size_t>(into.size(), 100'000)));
  }
  std::optional<std::uint64_t> remaining() const override { return inner_.remaining(); }
  bool rewind() override { return inner_.rewind(); }

 private:
  StringSource inner_;
  const std::size_t half_;
  std::function<Status()> midway_;
};

class StreamedCopyTest : public MirrorFixture {
 protected:
  Result<ObjectInfo> put_from(const std::string& key, BodySource& source, PutOptions options = {}) {
    ExpectedChecksums expected;
    return run(cluster_.put(alice(), name(key), std::move(options), std::move(expected), source));
  }
  void expect_at_both(const std::string& key, const std::string& body, const ObjectInfo& info) {
    for (const std::string& id : holders(key)) {
      const auto bytes = stored(id, key);
      ASSERT_TRUE(bytes.ok()) << id << ": " << bytes.error().what();
      EXPECT_TRUE(*bytes == body) << id;
      const auto there = stored_info(id, key);
      EXPECT_EQ(there->content_version, info.content_version);
      EXPECT_EQ(there->ino, info.ino);
      EXPECT_EQ(there->etag, info.etag);
    }
  }
  /// Names of files under the work folders of a target.
  std::size_t work_files(const std::string& id) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_ + "/" + id)) {
      const bool work = entry.path().string().find("/%work/") != std::string::npos;
      files += work && entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }
};

TEST_F(StreamedCopyTest, ALargeObjectIsAtBothHoldersWhenItIsAcknowledged) {
  for (const std::size_t size :
       {std::size_t{1} << 20, (std::size_t{1} << 20) + 1, (std::size_t{3} << 20) + 17}) {
    const std::string key = "k" + std::to_string(size), body = some_bytes(size);
    streamed_ = 0;
    SlowSource source(body, nullptr);
    const auto info = put_from(key, source);
    ASSERT_TRUE(info.ok()) << info.error().what();
    EXPECT_EQ(streamed_, 1);
    expect_at_both(key, body, *info);
  }
}

TEST_F(StreamedCopyTest, AHolderThatFailsMidwayGetsItAtTheEnd) {
  streams_fail_ = true;
  const std::string body = some_bytes(3 << 20);
  SlowSource source(body, nullptr);
  const auto info = put_from("k", source);
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(streamed_, 0);
  expect_at_both("k", body, *info);
}

TEST_F(StreamedCopyTest, AnotherTakesThePlaceOfAHolderThatGoesMidway) {
  const std::string other = holders("k")[1], body = some_bytes(3 << 20);
  SlowSource source(body, [&] {
    lose(other);
    return Status();
  });
  const auto info = put_from("k", source);
  ASSERT_TRUE(info.ok()) << info.error().what();
  expect_at_both("k", body, *info);
  for (const std::string& id : holders("k")) EXPECT_NE(id, other);
}

TEST_F(StreamedCopyTest, ANewMapMidwayIsNoReasonToSendItAgain) {
  const std::string body = some_bytes(3 << 20);
  SlowSource source(body, [&] {
    change([](ClusterMap&) {});
    return Status();
  });
  const auto info = put_from("k", source);
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(streamed_, 1);
  expect_at_both("k", body, *info);
}

TEST_F(StreamedCopyTest, WhatIsBrokenOffLeavesNothingAnywhere) {
  SlowSource source(some_bytes(4 << 20), [] { return Status(Error(Errc::unreachable, "gone")); });
  EXPECT_EQ(code(put_from("k", source)), Errc::unreachable);
  for (const std::string& id : holders("k")) {
    EXPECT_EQ(code(stored(id, "k")), Errc::not_found);
    EXPECT_EQ(work_files(id), 0u) << id;
  }
}

TEST_F(StreamedCopyTest, WhatIsRefusedLeavesTheOldOne) {
  const auto old = put("k", "old");
  ASSERT_TRUE(old.ok());
  SlowSource source(some_bytes(2 << 20), nullptr);
  PutOptions options{.conditions = {.must_not_exist = true}};
  EXPECT_FALSE(put_from("k", source, std::move(options)).ok());
  EXPECT_EQ(streamed_, 0);
  expect_at_both("k", "old", *old);
}

/// A holder does not take what is older than what it has, nor other bytes than were published.
TEST_F(StreamedCopyTest, WhatIsToldAtTheEndIsCompared) {
  const std::string body = some_bytes(1 << 20);
  SlowSource first(body, nullptr);
  ASSERT_TRUE(put_from("k", first).ok());
  const store::Key key = store::make_key(kId, name("k"));
  const std::string owner = holders("k")[0], other = holders("k")[1];
  const auto old = run(stores_[owner]->open_copy(key));
  ASSERT_TRUE(old.ok());
  const auto now = put("k", "newer");
  ASSERT_TRUE(now.ok());
  const auto take = [&](const std::string& bytes, store::StoredMeta meta) {
    StringSource source(bytes + encode_copy_end({std::move(meta), maps_.current()->epoch}));
    StreamedCopy copy{.bucket = kName, .key = "k", .bytes = bytes.size()};
    return run(targets_.at(other)->take_streamed(as("node", true), owner, std::move(copy), source));
  };
  EXPECT_TRUE(take(body, old->meta).ok());
  expect_at_both("k", "newer", *now);
  store::StoredMeta later = old->meta;
  later.info.content_version = later.info.meta_version = *stores_[owner]->next_version();
  EXPECT_EQ(code(take(some_bytes(1 << 20, 2), later)), Errc::bad_checksum);
  EXPECT_FALSE(take(body.substr(1), later).ok());
  expect_at_both("k", "newer", *now);
}

}  // namespace
}  // namespace aisfs::target
