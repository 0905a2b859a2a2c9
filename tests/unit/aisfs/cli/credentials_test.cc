// SPDX-License-Identifier: MIT
#include "aisfs/cli/credentials.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace aisfs::cli {
namespace {

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) {
    const auto it = values.find(name);
    return it == values.end() ? std::string() : it->second;
  };
}

/// A home folder with a keys file.
class Home : public testing::Test {
 protected:
  Home() {
    char path[] = "/tmp/aisfs-cli-XXXXXX";
    home_ = ::mkdtemp(path);
  }
  ~Home() override { std::filesystem::remove_all(home_); }

  void write_keys(const std::string& text, mode_t mode) {
    std::filesystem::create_directories(home_ + "/.config/aisfs");
    std::ofstream(home_ + "/.config/aisfs/keys") << text;
    ::chmod((home_ + "/.config/aisfs/keys").c_str(), mode);
  }
  std::string home_;
};

TEST_F(Home, KeysOfTheEnvironmentComeBeforeTheToken) {
  const auto c = find_credentials(environment_of(
      {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}, {"AIS_AUTHN_TOKEN", "T"}}));
  EXPECT_EQ(c->access_key, "A");
  EXPECT_EQ(c->token, "");
}

TEST_F(Home, HalfAPairIsAMistake) {
  const auto c =
      find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "A"}, {"AIS_AUTHN_TOKEN", "T"}}));
  EXPECT_EQ(c.error().code(), Errc::invalid_argument);
}

TEST_F(Home, TheFileIsReadWhenThereIsNothingElse) {
  write_keys("# mine\naccess_key = A\nsecret_key=S\n", 0600);
  EXPECT_EQ(find_credentials(environment_of({{"HOME", home_}}))->secret_key, "S");
}

TEST_F(Home, AFileThatOthersCanReadIsRefused) {
  write_keys("access_key=A\nsecret_key=S\n", 0644);
  EXPECT_EQ(find_credentials(environment_of({{"HOME", home_}})).error().code(),
            Errc::permission_denied);
}

TEST_F(Home, WithoutAnythingThereAreNone) {
  EXPECT_EQ(find_credentials(environment_of({{"HOME", home_}}))->access_key, "");
}

TEST(KeysFile, NamesTheLineThatIsWrong) {
  EXPECT_EQ(parse_keys_file("token=x\nwhat\n").error().what(),
            "line 2: want access_key=, secret_key= or token=");
  EXPECT_EQ(parse_keys_file("AWS_ACCESS_KEY_ID=A\nAWS_SECRET_ACCESS_KEY=S")->access_key, "A");
}

}  // namespace
}  // namespace aisfs::cli
