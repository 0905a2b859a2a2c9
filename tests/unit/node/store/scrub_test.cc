// SPDX-License-Identifier: MIT
// Damage on a disk is found, is served to nobody, and gives way to a good copy.
#include <atomic>
#include <fstream>
#include <thread>

#include "tests/unit/node/store/damage.h"
#include "tests/unit/node/store/store_fixture.h"

namespace aisfs::store {
namespace {

using State = ScrubFinding::State;

class ScrubTest : public StoreTest {
 protected:
  ScrubFinding scrub(const std::string& name) {
    auto found = run(store_->scrub(key(name)));
    EXPECT_TRUE(found.ok()) << found.error().what();
    return found ? *found : ScrubFinding{};
  }
  std::string file(const std::string& name) { return file_of(dir_, name); }
  /// As another target has it.
  ObjectCopy copy_of(const std::string& name) {
    auto copy = run(store_->open_copy(key(name)));
    EXPECT_TRUE(copy.ok());
    return *std::move(copy);
  }
  Result<bool> replace(const std::string& name, const StoredMeta& meta, const std::string& body) {
    StringSource source(body);
    return run(store_->replace_damaged(key(name), meta, source));
  }
  /// New content or, every fourth time, other attributes.
  Task<Result<ObjectInfo>> change(BodySource& source, int i) {
    if (i % 4 == 3) {
      AttrChange attrs;
      attrs.user = {{"i", std::to_string(i)}};
      Conditions none;
      co_return co_await store_->set_attrs(key("k"), std::move(attrs), std::move(none), level_);
    }
    PutOptions put_options;
    ExpectedChecksums expected;
    co_return co_await store_->put(key("k"), std::move(put_options), std::move(expected), source);
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(ScrubTest, WhatIsAsItWasWrittenIsGood) {
  const std::string large(2'500'000, 'x');
  ASSERT_TRUE(put("k", "body").ok());
  ASSERT_TRUE(put("large", large).ok());
  ASSERT_TRUE(put("empty", "").ok());
  PutOptions much;
  for (int i = 0; i < 100; ++i) much.user["key" + std::to_string(i)] = "some value of it";
  ASSERT_TRUE(put("with a side file", "body", much).ok());
  for (const char* name : {"k", "large", "empty", "with a side file"}) {
    EXPECT_EQ(scrub(name).state, State::kGood) << name << ": " << scrub(name).why;
  }
  EXPECT_EQ(scrub("large").bytes, large.size());
  EXPECT_EQ(scrub("nothing").state, State::kNone);
}

TEST_F(ScrubTest, AllThatMayHappenToAFileIsFound) {
  const std::string body(2'500'000, 'x');
  for (const char* name : {"first", "last", "short", "long", "xattr", "no xattr", "gone"}) {
    ASSERT_TRUE(put(name, body).ok());
  }
  flip_bit(file("first"), 0);
  flip_bit(file("last"), body.size() - 1);
  std::filesystem::resize_file(file("short"), body.size() - 1);
  std::filesystem::resize_file(file("long"), body.size() + 1);
  flip_bit_of_xattr(file("xattr"), 40);
  ASSERT_EQ(::removexattr(file("no xattr").c_str(), kMetaXattr), 0);
  std::filesystem::remove(file("gone"));
  for (const char* name : {"first", "last", "short", "long", "xattr", "no xattr"}) {
    const ScrubFinding found = scrub(name);
    EXPECT_EQ(found.state, State::kDamaged) << name;
    EXPECT_FALSE(found.why.empty()) << name;
    EXPECT_TRUE(code(get(name)) == Errc::corrupt || code(get(name)) == Errc::no_attribute) << name;
  }
  EXPECT_EQ(scrub("gone").state, State::kMissing);
  EXPECT_EQ(code(get("gone")), Errc::corrupt) << "never that it does not exist";
  EXPECT_EQ(list().size(), 7u);
}

TEST_F(ScrubTest, EveryByteOfTheXattrCounts) {
  // Of the envelope: version and compat are not under its CRC, and a newer version reads the same.
  constexpr ssize_t kFormatBegin = 4, kFormatEnd = 8;
  ASSERT_TRUE(put("k", "body").ok());
  const ssize_t size = ::getxattr(file("k").c_str(), kMetaXattr, nullptr, 0);
  for (ssize_t i = 0; i < size; ++i) {
    if (i >= kFormatBegin && i < kFormatEnd) continue;
    flip_bit_of_xattr(file("k"), static_cast<std::size_t>(i));
    EXPECT_EQ(scrub("k").state, State::kDamaged) << "byte " << i;
    flip_bit_of_xattr(file("k"), static_cast<std::size_t>(i));
  }
  EXPECT_EQ(scrub("k").state, State::kGood);
}

TEST_F(ScrubTest, TheFileOfAnotherObjectIsNotTakenForIt) {
  ASSERT_TRUE(put("k", "body").ok());
  ASSERT_TRUE(put("other", "body").ok());
  std::filesystem::rename(file("other"), file("k"));
  EXPECT_EQ(scrub("k").state, State::kDamaged);
  EXPECT_EQ(scrub("other").state, State::kMissing);
}

TEST_F(ScrubTest, NorReadForIt) {
  ASSERT_TRUE(put("k", "one object").ok());
  ASSERT_TRUE(put("other", "another").ok());
  restart_cleanly();
  std::filesystem::rename(file("other"), file("k"));
  EXPECT_EQ(get("k").error(), Errc::corrupt);
}

TEST_F(ScrubTest, WhatWasVerifiedBeforeIsReadAgain) {
  ASSERT_TRUE(put("k", "body").ok());
  EXPECT_EQ(*get("k"), "body");
  flip_bit(file("k"), 1);
  EXPECT_TRUE(get("k").ok()) << "it was verified once";
  EXPECT_EQ(scrub("k").state, State::kDamaged);
  EXPECT_EQ(code(get("k")), Errc::corrupt);
}

TEST_F(ScrubTest, AGoodCopyComesInThePlaceOfADamagedOne) {
  level_ = Durability::kFull;
  const auto before = put("k", "body");
  const StoredMeta meta = copy_of("k").meta;
  flip_bit(file("k"), 1);
  ASSERT_EQ(scrub("k").state, State::kDamaged);
  ASSERT_TRUE(*replace("k", meta, "body"));
  const auto check = [&] {
    EXPECT_EQ(*get("k"), "body");
    EXPECT_EQ(*head("k"), *before);
    EXPECT_EQ(scrub("k").state, State::kGood);
    EXPECT_EQ(list(), std::vector<std::string>{"k"});
  };
  check();
  const auto aside = set_aside_below(dir_);
  ASSERT_EQ(aside.size(), 1u);
  EXPECT_EQ(text_of(aside[0]), "bndy") << "kept for whoever wants to look";
  EXPECT_TRUE(text_of(aside[0] + ".txt").ends_with("key: k\n"));
  restart_without_index();
  check();
}

TEST_F(ScrubTest, AGoodCopyComesInThePlaceOfAFileThatIsGone) {
  ASSERT_TRUE(put("d/k", "body").ok());
  const StoredMeta meta = copy_of("d/k").meta;
  std::filesystem::remove_all(std::filesystem::path(file("d/k")).parent_path());
  ASSERT_EQ(scrub("d/k").state, State::kMissing);
  ASSERT_TRUE(*replace("d/k", meta, "body"));
  EXPECT_EQ(*get("d/k"), "body");
  EXPECT_EQ(scrub("d/k").state, State::kGood);
}

TEST_F(ScrubTest, ALongListOfAttributesComesBackToo) {
  PutOptions much;
  for (int i = 0; i < 100; ++i) much.user["key" + std::to_string(i)] = "some value of it";
  const auto before = put("k", "body", much);
  const StoredMeta meta = copy_of("k").meta;
  flip_bit_of_xattr(file("k"), 40);
  ASSERT_EQ(scrub("k").state, State::kDamaged);
  ASSERT_TRUE(*replace("k", meta, "body"));
  EXPECT_EQ(scrub("k").state, State::kGood);
  EXPECT_EQ(head("k")->user, before->user);
}

TEST_F(ScrubTest, OnlyTheVersionThatIsThereIsReplacedAndByItsBytesAlone) {
  ASSERT_TRUE(put("k", "old").ok());
  const StoredMeta old = copy_of("k").meta;
  ASSERT_TRUE(put("k", "new").ok());
  EXPECT_FALSE(*replace("k", old, "old"));
  EXPECT_EQ(code(replace("k", copy_of("k").meta, "nev")), Errc::bad_checksum);
  EXPECT_EQ(*get("k"), "new");
  ASSERT_TRUE(remove("k").ok());
  EXPECT_FALSE(*replace("k", old, "old"));
  EXPECT_TRUE(set_aside_below(dir_).empty());
}

TEST_F(ScrubTest, WhatChangesWhileItIsReadIsNotTakenForDamage) {
  ASSERT_TRUE(put("k", "first").ok());
  std::atomic<bool> done = false;
  std::thread writer([this, &done] {
    for (int i = 0; i < 200; ++i) {
      // Replaced files, which nobody has read, are written into again.
      StringSource source(std::string(1'500'000, static_cast<char>('a' + i % 26)));
      const auto changed = runtime_.run_on(1, change(source, i));
      EXPECT_TRUE(changed.ok()) << changed.error().what();
    }
    done = true;
  });
  int looks = 0;
  for (; !done; ++looks) {
    const ScrubFinding found = scrub("k");
    EXPECT_EQ(found.state, State::kGood) << found.why;
  }
  writer.join();
  EXPECT_GT(looks, 1);
}

TEST_F(ScrubTest, APaceMayEndIt) {
  ASSERT_TRUE(put("k", "body").ok());
  const auto stop = [](std::uint64_t bytes) -> Task<Status> {
    EXPECT_EQ(bytes, 4u);
    co_return Error(Errc::cancelled);
  };
  EXPECT_EQ(code(run(store_->scrub(key("k"), stop))), Errc::cancelled);
}

}  // namespace
}  // namespace aisfs::store
