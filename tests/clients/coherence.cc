// SPDX-License-Identifier: MIT
// Several mounts of one bucket against a model: whatever one of them has acknowledged, every other
// one sees at once. usage: coherence SEED STEPS FOLDER FOLDER...
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

struct Node {
  bool directory = false;
  std::string content;
  unsigned mode = 0;
};
using Model = std::map<std::string, Node>;  // by path; "" is the folder itself

[[noreturn]] void fail(const std::string& what, const std::string& path) {
  std::fprintf(stderr, "%s: %s (errno %d, %s)\n", path.c_str(), what.c_str(), errno,
               std::strerror(errno));
  std::exit(1);
}

class Run {
 public:
  Run(unsigned seed, std::vector<std::string> mounts) : random_(seed), mounts_(std::move(mounts)) {
    model_[""] = {.directory = true};
  }

  void step(unsigned number) {
    const std::string& mount = any(mounts_);
    step_ = "step " + std::to_string(number) + " on " + mount;
    switch (roll(13)) {
      case 0:
        return make_dir(mount, fresh_or_known());
      case 1:
        return remove_dir(mount, known(true));
      case 2:
      case 3:
        return create(mount, fresh_or_known());
      case 4:
      case 5:
        return overwrite(mount, known(false));
      case 6:
        return append(mount, known(false));
      case 7:
        return change_mode(mount, known(false));
      case 8:
        return unlink_file(mount, known(false));
      case 9:
        return rename_any(mount, known(false), fresh_or_known());
      case 10:
        return roll(4) == 0 ? rename_any(mount, known(true), fresh_or_known())
                            : cut(mount, known(false));
      case 11:
        return save(mount, fresh_or_known());
      default:
        return check_listing(mount, known(true));
    }
  }

  /// Each name of the step, on every mount; some others, which may be remembered wrongly.
  void check(const std::string& path) {
    for (const std::string& mount : mounts_) check_on(mount, path);
  }

 private:
  std::size_t roll(std::size_t sides) { return random_() % sides; }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[roll(of.size())];
  }

  std::string known(bool directory) {
    std::vector<std::string> all;
    for (const auto& [path, node] : model_) {
      if (node.directory == directory) all.push_back(path);
    }
    return all.empty() ? std::string("none") : any(all);
  }
  std::string fresh_or_known() {
    const std::string parent = known(true);
    return (parent.empty() ? "" : parent + "/") + "n" + std::to_string(roll(6));
  }
  static std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  }
  bool has_children(const std::string& path) const {
    const auto it = model_.upper_bound(path.empty() ? path : path + "/");
    return it != model_.end() && (path.empty() || it->first.starts_with(path + "/"));
  }
  static std::string at(const std::string& mount, const std::string& path) {
    return path.empty() ? mount : mount + "/" + path;
  }

  void expect(bool done, bool wanted, const std::string& what, const std::string& path) {
    if (done == wanted) return;
    fail(step_ + ", " + what + (done ? " succeeded" : " failed"), path);
  }

  void doing(const std::string& what, const std::string& path) {
    step_ += ", " + what + " " + path;
  }

  void make_dir(const std::string& mount, const std::string& path) {
    doing("mkdir", path);
    const bool may = !model_.contains(path);
    expect(::mkdir(at(mount, path).c_str(), 0755) == 0, may, "mkdir", at(mount, path));
    if (may) model_[path] = {.directory = true};
    check(path);
  }
  void remove_dir(const std::string& mount, const std::string& path) {
    doing("rmdir", path);
    if (path.empty()) return;
    const bool may = !has_children(path);
    expect(::rmdir(at(mount, path).c_str()) == 0, may, "rmdir", at(mount, path));
    if (may) model_.erase(path);
    check(path);
  }
  void create(const std::string& mount, const std::string& path) {
    doing("create", path);
    const bool may = !model_.contains(path);
    const int fd = ::open(at(mount, path).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
    expect(fd >= 0, may, "open(O_EXCL)", at(mount, path));
    if (fd < 0) return check(path);
    model_[path] = {.content = text(), .mode = 0644};
    write_and_close(fd, model_[path].content, at(mount, path));
    check(path);
  }
  void overwrite(const std::string& mount, const std::string& path) {
    doing("overwrite", path);
    if (!model_.contains(path)) return;
    const int fd = ::open(at(mount, path).c_str(), O_WRONLY | O_TRUNC);
    expect(fd >= 0, true, "open(O_TRUNC)", at(mount, path));
    model_[path].content = text();
    write_and_close(fd, model_[path].content, at(mount, path));
    check(path);
  }
  void append(const std::string& mount, const std::string& path) {
    doing("append", path);
    if (!model_.contains(path)) return;
    const int fd = ::open(at(mount, path).c_str(), O_WRONLY | O_APPEND);
    expect(fd >= 0, true, "open(O_APPEND)", at(mount, path));
    const std::string more = text();
    model_[path].content += more;
    write_and_close(fd, more, at(mount, path));
    check(path);
  }
  void cut(const std::string& mount, const std::string& path) {
    doing("truncate", path);
    if (!model_.contains(path)) return;
    std::string& content = model_[path].content;
    content.resize(content.size() / 2);
    const auto size = static_cast<off_t>(content.size());
    expect(::truncate(at(mount, path).c_str(), size) == 0, true, "truncate", at(mount, path));
    check(path);
  }
  void change_mode(const std::string& mount, const std::string& path) {
    doing("chmod", path);
    if (!model_.contains(path)) return;
    const unsigned mode = 0600 + static_cast<unsigned>(roll(64));
    expect(::chmod(at(mount, path).c_str(), mode) == 0, true, "chmod", at(mount, path));
    model_[path].mode = mode;
    check(path);
  }
  void unlink_file(const std::string& mount, const std::string& path) {
    doing("unlink", path);
    if (!model_.contains(path)) return;
    expect(::unlink(at(mount, path).c_str()) == 0, true, "unlink", at(mount, path));
    model_.erase(path);
    check(path);
  }

  void rename_any(const std::string& mount, const std::string& from, const std::string& to) {
    doing("rename " + from + " to", to);
    if (from.empty() || !model_.contains(from) || from == to) return;
    const bool directory = model_[from].directory;
    if (directory && to.starts_with(from + "/")) return;
    const auto there = model_.find(to);
    const bool may = there == model_.end() ||
                     (there->second.directory == directory && (!directory || !has_children(to)));
    const int done = ::rename(at(mount, from).c_str(), at(mount, to).c_str());
    expect(done == 0, may, "rename of " + from + " to", at(mount, to));
    std::vector<std::string> old{from}, now{to};
    if (may) {
      Model moved;
      for (const auto& [path, node] : model_) {
        if (path == from || (directory && path.starts_with(from + "/"))) moved[path] = node;
      }
      for (const auto& [path, node] : moved) model_.erase(path);
      model_.erase(to);
      for (auto& [path, node] : moved) {
        old.push_back(path);
        now.push_back(to + path.substr(from.size()));
        model_[now.back()] = std::move(node);
      }
    }
    for (const std::string& path : old) check(path);
    for (const std::string& path : now) check(path);
  }

  /// As rsync does.
  void save(const std::string& mount, const std::string& path) {
    doing("save", path);
    const auto there = model_.find(path);
    if (there != model_.end() && there->second.directory) return;
    const std::size_t name = path.rfind('/') + 1;  // 0 where there is no '/'
    const std::string temporary = path.substr(0, name) + "." + path.substr(name) + ".AbC123";
    const int fd = ::open(at(mount, temporary).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
    expect(fd >= 0, true, "open(O_EXCL)", at(mount, temporary));
    Node saved{.content = text(), .mode = 0640};
    write_and_close(fd, saved.content, at(mount, temporary));
    if (roll(4) == 0) {  // somebody looks before it has its name
      model_[temporary] = {.content = saved.content, .mode = 0600};
      check(temporary);
      model_.erase(temporary);
    }
    expect(::chmod(at(mount, temporary).c_str(), saved.mode) == 0, true, "chmod",
           at(mount, temporary));
    expect(::rename(at(mount, temporary).c_str(), at(mount, path).c_str()) == 0, true, "rename to",
           at(mount, path));
    model_[path] = std::move(saved);
    check(temporary);
    check(path);
  }

  void check_listing(const std::string& mount, const std::string& path) {
    doing("list", path);
    std::set<std::string> wanted, found;
    for (const auto& [child, node] : model_) {
      if (!child.empty() && parent_of(child) == path) wanted.insert(child);
    }
    DIR* dir = ::opendir(at(mount, path).c_str());
    if (dir == nullptr) fail("opendir", at(mount, path));
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") found.insert((path.empty() ? "" : path + "/") + name);
    }
    ::closedir(dir);
    if (found != wanted) {
      fail(step_ + ": " + std::to_string(found.size()) + " entries, expected " +
               std::to_string(wanted.size()),
           at(mount, path));
    }
  }

  void check_on(const std::string& mount, const std::string& path) {
    const std::string name = at(mount, path);
    const std::string step = step_ + ": ";
    struct stat st;
    const bool there = ::lstat(name.c_str(), &st) == 0;
    const auto wanted = model_.find(path);
    if (wanted == model_.end()) {
      if (there) fail(step + "is still there", name);
      return;
    }
    const Node& node = wanted->second;
    if (!there) fail(step + "is missing", name);
    if (S_ISDIR(st.st_mode) != node.directory) fail(step + "is of another kind", name);
    if (node.directory) return;
    if (static_cast<std::size_t>(st.st_size) != node.content.size()) {
      fail(step + "has " + std::to_string(st.st_size) + " bytes, expected " +
               std::to_string(node.content.size()),
           name);
    }
    if ((st.st_mode & 0777) != node.mode) fail(step + "has another mode", name);
    const int fd = ::open(name.c_str(), O_RDONLY);
    if (fd < 0) fail(step + "cannot be opened", name);
    std::string content(node.content.size() + 1, '\0');
    const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
    ::close(fd);
    content.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    if (content != node.content) {
      fail(step + "pread returned " + std::to_string(got) + ", the bytes are " +
               content.substr(0, 8) + ", expected " + node.content.substr(0, 8),
           name);
    }
  }

  std::string text() { return std::string(1 + roll(3000), static_cast<char>('a' + roll(26))); }
  static void write_and_close(int fd, const std::string& bytes, const std::string& name) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size()) || ::close(fd) != 0) fail("write", name);
  }

  std::mt19937 random_;
  const std::vector<std::string> mounts_;
  Model model_;
  std::string step_;  // for what fails
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: coherence SEED STEPS FOLDER FOLDER...\n", stderr);
    return 2;
  }
  const unsigned seed = static_cast<unsigned>(std::atoi(argv[1]));
  const unsigned steps = static_cast<unsigned>(std::atoi(argv[2]));
  Run run(seed, {argv + 3, argv + argc});
  for (unsigned i = 0; i < steps; ++i) run.step(i);
  std::printf("%u steps, seed %u: every mount saw all of it\n", steps, seed);
}
