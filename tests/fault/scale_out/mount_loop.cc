// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <set>

#include "common/base/unique_fd.h"
#include "tests/fault/scale_out/loops.h"

namespace aisfs::tests::scale {
namespace {

constexpr std::size_t kFolders = 3, kFiles = 6;
constexpr Duration kMounted = seconds(20), kUnmounted = seconds(20);
constexpr auto kLook = std::chrono::milliseconds(20);

class MountLoop final : public Loop {
 public:
  MountLoop(Site site, Tally& tally)
      : Loop("mount", tally), site_(std::move(site)), root_(site_.folder + "/mnt") {}
  ~MountLoop() override { end(); }

 private:
  /// A number >= 0 on success, else errno is set.
  template <class Call>
  bool timed(Tally::Kind kind, const char* what, const std::string& path, Call call) {
    const TimePoint began = std::chrono::steady_clock::now();
    const bool good = call() >= 0;
    const int error = errno;
    if (!good) {
      tally().failed("mount: " + std::string(what) + " " + path + ": " + std::strerror(error));
    } else {
      tally().did(kind, std::chrono::steady_clock::now() - began);
    }
    return good;
  }
  template <class Call>
  bool reads(const char* what, const std::string& path, Call call) {
    return timed(Tally::Kind::kRead, what, path, call);
  }
  template <class Call>
  bool writes(const char* what, const std::string& path, Call call) {
    return timed(Tally::Kind::kWrite, what, path, call);
  }
  void wrong(const std::string& path, const std::string& what) {
    tally().failed("mount: " + path + ": " + what);
  }

  bool begin() override {
    ::mkdir(root_.c_str(), 0700);
    ::mkdir((site_.folder + "/cache").c_str(), 0700);
    std::string gateways;
    for (const Endpoint& one : site_.gateways) {
      gateways += (gateways.empty() ? "" : ",") + one.to_string();
    }
    const Environment keys = {{"AWS_ACCESS_KEY_ID", site_.keys.access_key},
                              {"AWS_SECRET_ACCESS_KEY", site_.keys.secret_key}};
    program_ = std::make_unique<Program>(
        Arguments{built("aisfs"), gateways, root_, "-f", "-o",
                  "cache_dir=" + site_.folder + "/cache,log=" + site_.folder + "/log"},
        keys, site_.folder + "/output");
    const TimePoint until = std::chrono::steady_clock::now() + kMounted;
    while (!is_mounted()) {
      if (program_->wait(kLook) != -1 || std::chrono::steady_clock::now() > until) {
        wrong(root_, "is not mounted: " + program_->output());
        return false;
      }
    }
    return true;
  }

  void finish() override {
    if (program_ == nullptr) return;
    program_->signal(SIGTERM);
    if (const int status = program_->wait(kUnmounted); status != 0) {
      wrong(root_, "the mount ends with status " + std::to_string(status));
    }
    program_->kill();
    if (!is_mounted()) return;
    Program lazily({"fusermount3", "-uz", root_}, {}, site_.folder + "/unmount");
    lazily.wait(kUnmounted);
  }

  bool is_mounted() const {
    return text_of("/proc/self/mountinfo").find(" " + root_ + " ") != std::string::npos;
  }

  static std::string body_of(std::size_t round, std::size_t folder, std::size_t file) {
    std::string body =
        std::to_string(round) + " " + std::to_string(folder) + " " + std::to_string(file) + "\n";
    const std::size_t size = 10 + (round * 7 + folder * 31 + file * 4099) % 60'000;
    while (body.size() < size) body += body.substr(0, size - body.size());
    return body;
  }
  static std::string name_of(const std::string& tree, std::size_t folder, std::size_t file) {
    return tree + "/d" + std::to_string(folder) + "/f" + std::to_string(file);
  }

  void round(std::size_t number) override {
    const std::string tree = root_ + "/" + site_.bucket + "/tree" + std::to_string(number);
    const std::string renamed = site_.renames ? tree + ".renamed" : tree;
    if (!write_tree(tree, number)) return;
    if (!compare_tree(tree, number)) return;
    if (site_.renames && !rename_tree(tree, renamed)) return;
    if (!compare_tree(renamed, number)) return;
    if (!remove_tree(renamed)) return;
    if (is_there(renamed)) wrong(renamed, "is still there after its removal");
  }

  static bool is_there(const std::string& path) {
    struct ::stat status{};
    return ::stat(path.c_str(), &status) == 0;
  }

  bool rename_tree(const std::string& from, const std::string& to) {
    const auto rename = [&] { return ::rename(from.c_str(), to.c_str()); };
    if (!writes("rename", from, rename)) return false;
    if (is_there(from)) wrong(from, "is still there after its rename");
    return true;
  }

  bool write_tree(const std::string& tree, std::size_t number) {
    if (!writes("mkdir", tree, [&] { return ::mkdir(tree.c_str(), 0755); })) return false;
    for (std::size_t d = 0; d < kFolders; ++d) {
      const std::string folder = tree + "/d" + std::to_string(d);
      if (!writes("mkdir", folder, [&] { return ::mkdir(folder.c_str(), 0755); })) return false;
      for (std::size_t f = 0; f < kFiles; ++f) {
        if (!write_file(name_of(tree, d, f), body_of(number, d, f))) return false;
      }
    }
    return true;
  }

  bool write_file(const std::string& path, const std::string& body) {
    int fd = -1;
    const auto open = [&] {
      return fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    };
    if (!writes("create", path, open)) return false;
    const bool written =
        writes("write", path, [&] { return ::write(fd, body.data(), body.size()); });
    const bool closed = writes("close", path, [&] { return ::close(fd); });
    return written && closed;
  }

  bool compare_tree(const std::string& tree, std::size_t number) {
    for (std::size_t d = 0; d < kFolders; ++d) {
      std::set<std::string> expected;
      for (std::size_t f = 0; f < kFiles; ++f) expected.insert("f" + std::to_string(f));
      const auto names = names_in(tree + "/d" + std::to_string(d));
      if (!names) return false;
      if (*names != expected) {
        wrong(tree, "lists " + std::to_string(names->size()) + " names");
        return false;
      }
      for (std::size_t f = 0; f < kFiles; ++f) {
        if (!compare_file(name_of(tree, d, f), body_of(number, d, f))) return false;
      }
    }
    return true;
  }

  std::optional<std::set<std::string>> names_in(const std::string& folder) {
    std::set<std::string> names;
    const auto read = [&] {
      DIR* dir = ::opendir(folder.c_str());
      if (dir == nullptr) return -1;
      errno = 0;
      while (const ::dirent* entry = ::readdir(dir)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.insert(name);
      }
      const int error = errno;
      ::closedir(dir);
      errno = error;
      return error == 0 ? 0 : -1;
    };
    if (!reads("readdir", folder, read)) return std::nullopt;
    return names;
  }

  bool compare_file(const std::string& path, const std::string& body) {
    std::string got(body.size() + 1, '\0');
    ssize_t size = -1;
    const auto read = [&]() -> ssize_t {
      const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.get() < 0) return -1;
      return size = ::pread(fd.get(), got.data(), got.size(), 0);
    };
    if (!reads("read", path, read)) return false;
    got.resize(static_cast<std::size_t>(size));
    if (got == body) return true;
    wrong(path, "has other bytes");
    return false;
  }

  bool remove_tree(const std::string& tree) {
    for (std::size_t d = 0; d < kFolders; ++d) {
      for (std::size_t f = 0; f < kFiles; ++f) {
        const std::string path = name_of(tree, d, f);
        if (!writes("unlink", path, [&] { return ::unlink(path.c_str()); })) return false;
      }
      const std::string folder = tree + "/d" + std::to_string(d);
      if (!writes("rmdir", folder, [&] { return ::rmdir(folder.c_str()); })) return false;
    }
    if (writes("rmdir", tree, [&] { return ::rmdir(tree.c_str()); })) return true;
    const auto left = names_in(tree);
    for (const std::string& name : left.value_or(std::set<std::string>{})) {
      wrong(tree, "has " + name + " when all was removed");
    }
    return false;
  }

  const Site site_;
  const std::string root_;
  std::unique_ptr<Program> program_;
};

}  // namespace

std::unique_ptr<Loop> make_mount_loop(Site site, Tally& tally) {
  return std::make_unique<MountLoop>(std::move(site), tally);
}

}  // namespace aisfs::tests::scale
