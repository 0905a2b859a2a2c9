// SPDX-License-Identifier: MIT
#include "node/store/layout.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "common/base/text.h"
#include "common/disk/posix.h"
#include "tests/unit/node/store/temp_dir.h"

namespace aisfs::store::layout {
namespace {

std::string repeat(std::string_view what, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += what;
  return out;
}

/// Every awkward name that is known to have hurt somebody.
std::vector<std::string> awkward_keys() {
  std::vector<std::string> keys = {
      "..", ".", "../x", "x/..", "x/../y", "a/./b", "./a", "%2e%2e%2f", "%2e%2e/x", "..%5c", "\\",
      "a\\b", "..\\..\\x", "//", "/", "///", "a//b", "a//", "/a", "/a/", "a/", "a", "a/b", "a/b/",
      "a/b/c", "dir/", "dir/%dir", "%dir", "%dir/", "%dir/x", "x/%dir/y", "x%dir", "x%dir/", "%ob",
      "%ob/x", "%esc", "%esc/aa/bb", "%md", "%wk", "%log", "%index", "%id", ".ais", "xl.meta",
      "%25", "%2525", "%00", "%", "%%", "\r\n", "a\r\nb", "\n", "\t", " ", "  ", " a", "a ", "\x01",
      "\x7f", "\xff", "\xfe\xff", "\xc0\xaf", "\xe2\x82", "a\xc3(b", "\xc3\xa9", "e\xcc\x81",
      "\xe2\x80\xae" "gpj.exe", "\xf0\x9f\x98\x80", "CON", "nul", "a:b", "a*b?", "\"quoted\"",
      "'", "-rf", "--", "~", "$HOME", "`id`", "lost+found", ".nfs0001", "A", "a.", "a..b", "...",
      "a/.../b", ".hidden", ".x.AbCdEf", "name.new", "a.new"};
  for (const std::size_t n : {254u, 255u, 256u, 257u, 1023u, 1024u}) {
    keys.push_back(repeat("n", n));
    keys.push_back("d/" + repeat("n", n - 2));
    keys.push_back(repeat("n", n - 2) + "/f");
    keys.push_back(repeat("n", n - 1) + "/");
  }
  for (const std::size_t n : {63u, 64u, 65u, 500u}) {
    keys.push_back(repeat("d/", n - 1) + "f");
    keys.push_back(repeat("d/", n));
  }
  for (int c = 1; c < 256; ++c) {
    keys.push_back(std::string(1, static_cast<char>(c)));
    keys.push_back("p" + std::string(1, static_cast<char>(c)) + "q");
  }
  return keys;
}

TEST(Layout, AnOrdinaryKeyIsItsOwnPath) {
  EXPECT_EQ(object_path("@ais/b", "train/0001.jpg").path, "@ais/b/%ob/train/0001.jpg");
  EXPECT_EQ(object_path("@ais/b", "train/").path, "@ais/b/%ob/train/%dir");
  EXPECT_FALSE(object_path("@ais/b", "%2e%2e%2f").escaped);
  EXPECT_FALSE(object_path("@ais/b", repeat("n", 255)).escaped);
  EXPECT_TRUE(object_path("@ais/b", repeat("n", 256)).escaped);
}

TEST(Layout, TwoKeysNeverShareAPathAndPlainPathsTellTheirKey) {
  std::map<std::string, std::string> key_at;
  for (const std::string& key : awkward_keys()) {
    ASSERT_TRUE(validate_key(key).ok()) << key;
    const ObjectPath plain = object_path("@ais/b", key);
    const ObjectPath escaped = escaped_path("@ais/b", key);
    for (const ObjectPath& at : {plain, escaped}) {
      const auto [it, added] = key_at.emplace(at.path, key);
      EXPECT_EQ(it->second, key) << "both at " << at.path;
    }
    EXPECT_EQ(plain.escaped, must_escape(key));
    if (!plain.escaped) {
      EXPECT_EQ(key_of_plain(plain.path.substr(std::string("@ais/b/%ob/").size())), key);
    }
  }
}

TEST(Layout, NamesThatNoKeyHasAreStrays) {
  for (const char* name : {"a//b", "a/", "", "..", "a/../b", "%dir", "x/%dir/y", "/a"}) {
    EXPECT_EQ(key_of_plain(name), std::nullopt) << name;
  }
  EXPECT_EQ(key_of_plain("x%dir"), "x%dir");
  EXPECT_EQ(key_of_plain("x/%dir"), "x/");
}

TEST(Layout, NoPathLeavesItsBucketOrHoldsAComponentThatNoFileSystemTakes) {
  for (const std::string& key : awkward_keys()) {
    const std::string path = object_path("@ais/b", key).path;
    ASSERT_TRUE(path.starts_with("@ais/b/%ob/") || path.starts_with("@ais/b/%esc/")) << path;
    for (const std::string_view component : split(path, '/')) {
      EXPECT_FALSE(component.empty() || component == "." || component == ".." ||
                   component.size() > kComponentBytesMax)
          << path;
    }
  }
}

/// The rule by which the store takes the escaped path, on a real file system: every awkward key
/// gets a file, whatever the others hold already, and each keeps its own bytes.
TEST(Layout, EveryAwkwardNameRoundTripsOnARealFileSystem) {
  const TempDir dir;
  std::map<std::string, std::string> path_of;
  for (const std::string& key : awkward_keys()) {
    std::string path = object_path("@ais/b", key).path;
    const auto create = [&]() -> Result<UniqueFd> {
      CHECK_OK(disk::make_parent_dirs(dir.root(), path));
      return disk::open_beneath(dir.root(), path, O_CREAT | O_RDWR);
    };
    auto fd = create();
    if (!fd) {
      ASSERT_TRUE(fd.error() == Errc::not_directory || fd.error() == Errc::is_directory ||
                  fd.error() == Errc::already_exists)
          << fd.error().what();
      path = escaped_path("@ais/b", key).path;
      fd = create();
    }
    ASSERT_TRUE(fd.ok()) << fd.error().what();
    ASSERT_TRUE(disk::pwrite_all(fd->get(), as_bytes(key), 0).ok());
    path_of[key] = path;
  }
  for (const auto& [key, path] : path_of) {
    EXPECT_EQ(disk::read_file(dir.root(), path, 4096).value_or("?"), key) << path;
  }
}

TEST(Layout, BucketsHaveFoldersThatTellTheirName) {
  for (const BucketName& bucket :
       {native_bucket("demo"), BucketName{"aws", "", "my.bucket-1"},
        BucketName{"ais", "@uuid#ns", "b"}, BucketName{"ais", "#ns", "b"}}) {
    const auto dir = bucket_dir(bucket);
    ASSERT_TRUE(dir.ok());
    EXPECT_EQ(bucket_of(*dir), bucket) << *dir;
  }
  EXPECT_EQ(*bucket_dir(BucketName{"ais", "@u#n", "b"}), "@ais/@u#n/b");
  for (const BucketName& bad :
       {native_bucket(".."), native_bucket("a/b"), native_bucket(""), native_bucket("%log"),
        native_bucket("@x"), BucketName{"..", "", "b"}, BucketName{"ais", "..", "b"},
        BucketName{"ais", "@a/b", "b"}}) {
    EXPECT_EQ(bucket_dir(bad).error().code(), Errc::invalid_argument) << bad.name;
  }
  EXPECT_EQ(bucket_of("@ais"), std::nullopt);
  EXPECT_EQ(bucket_of("ais/b"), std::nullopt);
  EXPECT_EQ(bucket_of("@ais/%wk"), std::nullopt);
}

}  // namespace
}  // namespace aisfs::store::layout
