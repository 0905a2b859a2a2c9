// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/fault/scale_out/loops.h"
#include "tests/fault/scale_out/relay.h"

namespace aisfs::tests::scale {
namespace {

namespace fs = std::filesystem;

constexpr Duration kCommandMax = std::chrono::minutes(3);
constexpr std::size_t kFiles = 12;
constexpr std::size_t kShown = 600;  // bytes of what a command has said

/// Names and bytes of all files of a folder.
std::map<std::string, std::string> read_tree(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().string().substr(folder.size())] = text_of(entry.path());
  }
  return files;
}

/// Commands on a tree that changes a little from round to round.
class ToolLoop : public Loop {
 public:
  ToolLoop(std::string name, Site site, Tally& tally)
      : Loop(std::move(name), tally),
        site_(std::move(site)),
        tree_(site_.folder + "/tree"),
        relay_(site_.s3) {
    fs::create_directories(tree_ + "/a/b");
  }

 protected:
  /// Some files are new, some other than before, one goes. Sizes change too: both programs go by
  /// them.
  void change_tree(std::size_t round) {
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (round > 0 && i % 4 != round % 4) continue;
      std::string body = name() + " " + std::to_string(round) + " " + std::to_string(i) + "\n";
      body.resize(500 + i * 1777 + round, static_cast<char>('a' + round % 26));
      std::ofstream(path(i)) << body;
    }
    fs::remove(path(kFiles + round));
    std::ofstream(path(kFiles + round + 1)) << "of round " << round << "\n";
    if (round == 0) std::ofstream(tree_ + "/large") << std::string(3'000'000, 'x');
  }

  /// False when it fails, which is told. One that only reads is run again when the gateway was
  /// killed under it, as soon as there is one again: not every program repeats a request by itself
  /// whose answer broke off.
  bool command(Tally::Kind kind, const Arguments& arguments, const Environment& environment) {
    const std::string log = site_.folder + "/" + name() + ".log";
    const Deadline deadline = Deadline::after(site_.patience);
    Relay::Seen seen;
    for (;;) {
      Program program(arguments, environment, log);
      const int status = program.wait(kCommandMax);
      const Relay::Seen now = relay_.take();
      seen.longest = std::max(seen.longest, now.longest);
      seen.broken += now.broken;
      if (status == 0) break;
      program.kill();
      const bool again = kind == Tally::Kind::kRead && now.broken > 0;
      if (again && relay_.wait_for_listener(deadline)) continue;
      std::string said = program.output();
      if (said.size() > kShown) said = "..." + said.substr(said.size() - kShown);
      tally().failed(arguments[0] + " " + arguments[1] + " " + arguments[2] + ": status " +
                     std::to_string(status) + ": " + said);
      return false;
    }
    tally().did(kind, seen.longest, seen.broken);
    return true;
  }
  std::string endpoint() const { return "http://" + relay_.endpoint().to_string(); }

  const Site site_;
  const std::string tree_;

 private:
  std::string path(std::size_t file) const {
    return tree_ + (file % 2 == 0 ? "/a/b/f" : "/a/f") + std::to_string(file);
  }

  Relay relay_;
};

/// With a retry mode that waits out a gateway that starts anew: one endpoint is all it can be told.
class AwsLoop final : public ToolLoop {
 public:
  AwsLoop(Site site, Tally& tally) : ToolLoop("aws", std::move(site), tally) {
    environment_ = {{"AWS_ACCESS_KEY_ID", site_.keys.access_key},
                    {"AWS_SECRET_ACCESS_KEY", site_.keys.secret_key},
                    {"AWS_DEFAULT_REGION", "us-east-1"},
                    {"AWS_ENDPOINT_URL", endpoint()},
                    {"AWS_CONFIG_FILE", "/dev/null"},
                    {"AWS_CA_BUNDLE", ""},
                    {"AWS_PROFILE", ""},
                    {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
                    {"AWS_EC2_METADATA_DISABLED", "true"},
                    {"AWS_RETRY_MODE", "standard"},
                    {"AWS_MAX_ATTEMPTS", "10"}};
  }
  ~AwsLoop() override { end(); }

 private:
  void round(std::size_t number) override {
    const std::string there = "s3://" + site_.bucket + "/aws", down = site_.folder + "/down";
    change_tree(number);
    if (!command(Tally::Kind::kWrite,
                 {"aws", "s3", "sync", tree_, there, "--delete", "--only-show-errors"},
                 environment_)) {
      return;
    }
    if (!command(Tally::Kind::kRead,
                 {"aws", "s3", "sync", there, down, "--delete", "--only-show-errors",
                  "--exact-timestamps"},
                 environment_)) {
      return;
    }
    if (read_tree(tree_) != read_tree(down)) {
      tally().failed("aws: what came down is not what went up");
    }
  }

  Environment environment_;
};

class RcloneLoop final : public ToolLoop {
 public:
  RcloneLoop(Site site, Tally& tally) : ToolLoop("rclone", std::move(site), tally) {
    environment_ = {{"RCLONE_CONFIG_T_TYPE", "s3"},
                    {"RCLONE_CONFIG_T_PROVIDER", "Other"},
                    {"RCLONE_CONFIG_T_REGION", "us-east-1"},
                    {"RCLONE_CONFIG_T_ENDPOINT", endpoint()},
                    {"RCLONE_CONFIG_T_ACCESS_KEY_ID", site_.keys.access_key},
                    {"RCLONE_CONFIG_T_SECRET_ACCESS_KEY", site_.keys.secret_key},
                    {"RCLONE_CONFIG", "/dev/null"},
                    // For a gateway that starts anew: else three attempts are over at once.
                    {"RCLONE_LOW_LEVEL_RETRIES", "20"},
                    {"RCLONE_RETRIES", "10"},
                    {"RCLONE_RETRIES_SLEEP", "1s"},
                    {"AWS_CA_BUNDLE", ""}};  // rclone 1.60 refuses to start with it
  }
  ~RcloneLoop() override { end(); }

 private:
  void round(std::size_t number) override {
    const std::string there = "t:" + site_.bucket + "/rclone";
    change_tree(number);
    if (!command(Tally::Kind::kWrite, {"rclone", "sync", tree_, there}, environment_)) {
      return;
    }
    command(Tally::Kind::kRead, {"rclone", "check", "--download", tree_, there}, environment_);
  }

  Environment environment_;
};

}  // namespace

std::unique_ptr<Loop> make_aws_loop(Site site, Tally& tally) {
  return std::make_unique<AwsLoop>(std::move(site), tally);
}

std::unique_ptr<Loop> make_rclone_loop(Site site, Tally& tally) {
  return std::make_unique<RcloneLoop>(std::move(site), tally);
}

}  // namespace aisfs::tests::scale
