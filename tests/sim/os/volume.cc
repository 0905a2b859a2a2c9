// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/sim/os/disk.h"
#include "tests/sim/os/real.h"

// What is called here must be the real thing: by number, past the simulation.
namespace aisfs::tests::sim {
namespace {

constexpr std::size_t kBlock = 4096;

long open_at(const std::string& path, int flags, mode_t mode = 0600) {
  return raw_syscall(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path.c_str()), flags | O_CLOEXEC,
                     mode);
}
void close_fd(long fd) { raw_syscall(SYS_close, fd); }

std::string bytes_of(int fd, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const long n =
        raw_syscall(SYS_pread64, fd, reinterpret_cast<long>(bytes.data() + done),
                    static_cast<long>(bytes.size() - done), static_cast<long>(offset + done));
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

std::string content_of(int fd) {
  struct stat st{};
  raw_syscall(SYS_fstat, fd, reinterpret_cast<long>(&st));
  return bytes_of(fd, 0, static_cast<std::uint64_t>(st.st_size));
}

void write_content(const std::string& path, const std::string& bytes) {
  const long fd = open_at(path, O_CREAT | O_TRUNC | O_WRONLY);
  raw_syscall(SYS_pwrite64, fd, reinterpret_cast<long>(bytes.data()),
              static_cast<long>(bytes.size()), 0);
  close_fd(fd);
}

std::map<std::string, std::string> xattrs_of(const std::string& path) {
  std::map<std::string, std::string> all;
  char names[4096];
  const ssize_t n = ::llistxattr(path.c_str(), names, sizeof names);
  for (ssize_t at = 0; at < n; at += static_cast<ssize_t>(std::strlen(names + at)) + 1) {
    char value[8192];
    const ssize_t size = ::lgetxattr(path.c_str(), names + at, value, sizeof value);
    if (size >= 0) all[names + at] = std::string(value, static_cast<std::size_t>(size));
  }
  return all;
}

bool is_below(const std::string& path, const std::string& dir) {
  return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// An entry and, of a folder, all below it, under another name.
std::map<std::string, ino_t> take(std::map<std::string, ino_t>& tree, const std::string& path) {
  std::map<std::string, ino_t> taken;
  for (auto at = tree.begin(); at != tree.end();) {
    if (at->first == path || is_below(at->first, path)) {
      taken[at->first.substr(path.size())] = at->second;
      at = tree.erase(at);
    } else {
      ++at;
    }
  }
  return taken;
}
void put(std::map<std::string, ino_t>& tree,
         const std::string& path,
         const std::map<std::string, ino_t>& taken) {
  for (const auto& [rest, ino] : taken) tree[path + rest] = ino;
}

}  // namespace

Volume::Volume(std::string root, std::uint64_t seed)
    : root_(std::move(root)), whole_journal_(seed % 2 == 0) {
  adopt();
}

Volume::~Volume() {
  for (const auto& [_, writers] : writers_) close_fd(writers.fd);
}

void Volume::log(Operation operation) {
  operation.number = next_number_++;
  journal_.push_back(std::move(operation));
}

void Volume::made_file(const std::string& path, ino_t ino) {
  log({What::kMake, ino, path, {}, {}});
}
void Volume::made_dir(const std::string& path) { log({What::kMakeDir, 0, path, {}, {}}); }
void Volume::linked(const std::string& path, ino_t ino) { log({What::kLink, ino, path, {}, {}}); }
void Volume::unlinked(const std::string& path) { log({What::kUnlink, 0, path, {}, {}}); }
void Volume::renamed(const std::string& from, const std::string& to, bool exchange) {
  struct stat st{};
  raw_syscall(SYS_lstat, reinterpret_cast<long>((root_ + "/" + to).c_str()),
              reinterpret_cast<long>(&st));
  log({exchange ? What::kExchange : What::kRename, st.st_ino, from, to, {}});
}
void Volume::set_xattr(ino_t ino, std::string name, std::optional<std::string> value) {
  log({What::kXattr, ino, {}, std::move(name), std::move(value)});
}

void Volume::opened_to_write(ino_t ino, int fd) {
  Writers& writers = writers_[ino];
  if (writers.fd < 0) {
    writers.fd = static_cast<int>(open_at("/proc/self/fd/" + std::to_string(fd), O_RDONLY));
  }
  ++writers.count;
  writers.all_unknown = next_write_++;  // it may have been made shorter
}

void Volume::closed_writer(ino_t ino) {
  const auto found = writers_.find(ino);
  if (found != writers_.end()) --found->second.count;
}

void Volume::wrote(ino_t ino, std::uint64_t offset, std::optional<std::uint64_t> size) {
  Writers& writers = writers_[ino];
  const std::uint64_t number = next_write_++;
  if (size) writers.ranges.push_back({number, offset, *size});
  if (!size) writers.all_unknown = number;
}

void Volume::add_pieces(ino_t ino, const Writers& writers, Barrier& barrier) {
  if (writers.count == 0) barrier.quiet.push_back(ino);
  if (writers.all_unknown > 0) {
    barrier.pieces.push_back({ino, 0, content_of(writers.fd), true});
    return;
  }
  for (const auto& range : writers.ranges) {
    barrier.pieces.push_back(
        {ino, range.offset, bytes_of(writers.fd, range.offset, range.size), false});
  }
}

Volume::Barrier Volume::begin_sync_all() {
  Barrier barrier{
      .operations = next_number_ - 1, .writes = next_write_ - 1, .pieces = {}, .quiet = {}};
  for (const auto& [ino, writers] : writers_) add_pieces(ino, writers, barrier);
  return barrier;
}

Volume::Barrier Volume::begin_sync(int fd, bool is_dir, const std::string& path) {
  Barrier barrier;
  struct stat st{};
  raw_syscall(SYS_fstat, fd, reinterpret_cast<long>(&st));
  for (const Operation& operation : journal_) {
    const bool names = operation.ino == st.st_ino && !is_dir;
    const bool in_dir =
        is_dir && (parent_of(operation.path) == path ||
                   ((operation.what == What::kRename || operation.what == What::kExchange) &&
                    parent_of(operation.other) == path) ||
                   operation.path == path);
    if (names || in_dir) barrier.operations = operation.number;
  }
  if (whole_journal_ && barrier.operations > 0) barrier.operations = next_number_ - 1;
  const auto writers = writers_.find(st.st_ino);
  barrier.writes = next_write_ - 1;
  if (!is_dir && writers != writers_.end()) add_pieces(st.st_ino, writers->second, barrier);
  return barrier;
}

void Volume::end_sync(const Barrier& barrier) {
  commit(barrier.operations);
  for (const auto& piece : barrier.pieces) {
    apply(piece, barrier.writes);
    const ino_t ino = piece.ino;
    const auto found = writers_.find(ino);
    if (found == writers_.end()) continue;
    Writers& writers = found->second;
    std::erase_if(writers.ranges, [&](const auto& r) { return r.number <= barrier.writes; });
    if (writers.all_unknown <= barrier.writes) writers.all_unknown = 0;
  }
  for (const ino_t ino : barrier.quiet) {
    const auto found = writers_.find(ino);
    if (found == writers_.end() || found->second.count > 0) continue;
    if (!found->second.ranges.empty() || found->second.all_unknown > 0) continue;
    close_fd(found->second.fd);
    writers_.erase(found);
  }
}

/// Unless a sync that began later has ended before: no sync takes back what another has done.
void Volume::apply(const Barrier::Piece& piece, std::uint64_t up_to) {
  Inode& inode = inodes_[piece.ino];
  if (inode.synced_up_to > up_to) return;
  inode.synced_up_to = up_to;
  if (piece.whole) inode.content = piece.bytes;
  if (!piece.whole) put_bytes(piece.ino, piece.bytes, piece.offset);
  for (const auto& [number, offset, bytes] : inode.through) {
    if (number > up_to) put_bytes(piece.ino, bytes, offset);
  }
}

void Volume::wrote_through(ino_t ino, std::string_view bytes, std::uint64_t offset) {
  put_bytes(ino, bytes, offset);
  inodes_[ino].through.push_back({next_write_++, offset, std::string(bytes)});
}

void Volume::put_bytes(ino_t ino, std::string_view bytes, std::uint64_t offset) {
  std::string& content = inodes_[ino].content.emplace(inodes_[ino].content.value_or(""));
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  content.replace(offset, bytes.size(), bytes);
}

void Volume::commit(std::uint64_t up_to) {
  std::size_t count = 0;
  while (count < journal_.size() && journal_[count].number <= up_to) apply(journal_[count++]);
  journal_.erase(journal_.begin(), journal_.begin() + static_cast<std::ptrdiff_t>(count));
}

void Volume::apply(const Operation& operation) {
  switch (operation.what) {
    case What::kMake:
      inodes_.try_emplace(operation.ino);
      if (!operation.path.empty()) tree_[operation.path] = operation.ino;
      break;
    case What::kMakeDir:
      tree_[operation.path] = 0;
      break;
    case What::kLink:
      inodes_.try_emplace(operation.ino);
      tree_[operation.path] = operation.ino;
      break;
    case What::kUnlink:
      take(tree_, operation.path);
      break;
    case What::kRename: {
      const auto moved = take(tree_, operation.path);
      take(tree_, operation.other);
      put(tree_, operation.other, moved);
      break;
    }
    case What::kExchange: {
      const auto a = take(tree_, operation.path), b = take(tree_, operation.other);
      put(tree_, operation.path, b);
      put(tree_, operation.other, a);
      break;
    }
    case What::kXattr:
      if (operation.value) inodes_[operation.ino].xattrs[operation.other] = *operation.value;
      if (!operation.value) inodes_[operation.ino].xattrs.erase(operation.other);
      break;
  }
}

/// Of a file that is being written the disk has what was synced, what is in memory, or some of
/// each.
std::string Volume::left_of(Scheduler& scheduler, ino_t ino, const Inode& inode) {
  const std::string synced = inode.content.value_or("");
  const auto writers = writers_.find(ino);
  if (writers == writers_.end()) return synced;
  const std::string now = content_of(writers->second.fd);
  if (now == synced) return now;
  switch (scheduler.draw(0, 3)) {
    case 0:
      return synced;
    case 1:
      return now;
    default:
      break;
  }
  // Block by block; what was never written there is zeros.
  std::string torn(scheduler.chance(0.5) ? now.size() : std::max(now.size(), synced.size()), '\0');
  for (std::size_t at = 0; at < torn.size(); at += kBlock) {
    const std::string& from = scheduler.chance(0.5) ? now : synced;
    if (at < from.size()) torn.replace(at, std::min(kBlock, torn.size() - at), from, at, kBlock);
    torn.resize(std::max(now.size(), synced.size()));
  }
  torn.resize(scheduler.chance(0.5) ? now.size() : synced.size());
  return torn;
}

/// Where those who are dead still have it open.
void Volume::bury() {
  const std::string grave = root_ + ".grave" + std::to_string(++graves_);
  ::mkdir(grave.c_str(), 0700);
  if (DIR* dir = ::opendir(root_.c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      raw_syscall(SYS_rename, reinterpret_cast<long>((root_ + "/" + name).c_str()),
                  reinterpret_cast<long>((grave + "/" + name).c_str()));
    }
    ::closedir(dir);
  }
}

void Volume::lose_power(Scheduler& scheduler) {
  const std::uint64_t last = next_number_ - 1;
  if (!journal_.empty()) {
    // As far as the journal got by itself: often not at all, sometimes to its end.
    const std::uint64_t first = journal_.front().number - 1;
    commit(scheduler.chance(0.3) ? first : scheduler.draw(first, last));
  }
  journal_.clear();
  struct File {
    std::string content;
    std::map<std::string, std::string> xattrs;
  };
  std::map<ino_t, File> files;
  for (const auto& [_, ino] : tree_) {
    if (ino == 0 || files.contains(ino)) continue;
    const Inode& inode = inodes_[ino];
    files[ino] = {left_of(scheduler, ino, inode), inode.xattrs};
  }
  for (const auto& [_, writers] : writers_) close_fd(writers.fd);
  writers_.clear();
  bury();
  std::map<ino_t, std::string> first_names;
  for (const auto& [name, ino] : tree_) {
    const std::string path = root_ + "/" + name;
    if (ino == 0) {
      raw_syscall(SYS_mkdir, reinterpret_cast<long>(path.c_str()), 0700);
      continue;
    }
    const auto [first, fresh] = first_names.emplace(ino, path);
    if (!fresh) {
      raw_syscall(SYS_link, reinterpret_cast<long>(first->second.c_str()),
                  reinterpret_cast<long>(path.c_str()));
      continue;
    }
    write_content(path, files[ino].content);
    for (const auto& [attribute, value] : files[ino].xattrs) {
      raw_syscall(SYS_setxattr, reinterpret_cast<long>(path.c_str()),
                  reinterpret_cast<long>(attribute.c_str()), reinterpret_cast<long>(value.data()),
                  static_cast<long>(value.size()), 0);
    }
  }
  adopt();
}

void Volume::adopt() {
  journal_.clear();
  tree_.clear();
  inodes_.clear();
  for (const auto& [_, writers] : writers_) close_fd(writers.fd);
  writers_.clear();
  adopt_below("");
}

void Volume::adopt_below(const std::string& path) {
  DIR* dir = ::opendir((root_ + "/" + path).c_str());
  if (dir == nullptr) return;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string below = path.empty() ? name : path + "/" + name;
    struct stat st{};
    raw_syscall(SYS_lstat, reinterpret_cast<long>((root_ + "/" + below).c_str()),
                reinterpret_cast<long>(&st));
    if (S_ISDIR(st.st_mode)) {
      tree_[below] = 0;
      adopt_below(below);
    } else if (S_ISREG(st.st_mode)) {
      tree_[below] = st.st_ino;
      Inode& inode = inodes_[st.st_ino];
      if (inode.content) continue;
      const long fd = open_at(root_ + "/" + below, O_RDONLY);
      inode.content = content_of(static_cast<int>(fd));
      close_fd(fd);
      inode.xattrs = xattrs_of(root_ + "/" + below);
    }
  }
  ::closedir(dir);
}

}  // namespace aisfs::tests::sim
