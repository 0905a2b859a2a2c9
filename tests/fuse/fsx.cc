// SPDX-License-Identifier: MIT
// fsx DIR [OPERATIONS] [SEED]: random operations on a file in DIR and on a model in memory; after
// every read the bytes must agree. Runs on any file system; prints the last operations at a
// difference. Seeds: the same seed makes the same operations.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>

namespace {

constexpr std::size_t kFileMax = 6 << 20;  // over the limits of small files and of patches
constexpr std::size_t kOpMax = 128 << 10;

class Fsx {
 public:
  Fsx(std::string path, unsigned seed) : path_(std::move(path)), rng_(seed) { reopen(O_CREAT | O_TRUNC); }
  ~Fsx() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }

  void step() {
    switch (rng_() % 12) {
      case 0: case 1: case 2: return write_some();
      case 3: case 4: case 5: return read_some();
      case 6: return truncate_some();
      case 7: return rng_() % 2 == 0 ? map_read() : map_write();
      case 8: return append_some();
      case 9: return rng_() % 4 == 0 ? sync() : check_size();
      case 10: return rng_() % 4 == 0 ? reopen(0) : read_some();
      default: return rng_() % 3 == 0 ? rename_file() : punch();
    }
  }

 private:
  std::size_t upto(std::size_t n) { return n == 0 ? 0 : rng_() % n; }
  std::string random_bytes(std::size_t n) {
    std::string out(n, '\0');
    for (char& c : out) c = static_cast<char>(rng_());
    return out;
  }
  void note(const char* what, std::size_t at, std::size_t n) {
    log_.push_back(std::string(what) + " at " + std::to_string(at) + " n " + std::to_string(n) +
                   " size " + std::to_string(model_.size()));
    if (log_.size() > 30) log_.pop_front();
  }
  [[noreturn]] void fail(const std::string& why) {
    for (const auto& line : log_) std::fprintf(stderr, "  %s\n", line.c_str());
    std::fprintf(stderr, "fsx: %s (errno %s)\n", why.c_str(), std::strerror(errno));
    std::exit(1);
  }
  void must(bool ok, const char* what) {
    if (!ok) fail(what);
  }
  void place(std::size_t at, const std::string& bytes) {
    if (model_.size() < at + bytes.size()) model_.resize(at + bytes.size());
    model_.replace(at, bytes.size(), bytes);
  }
  void compare(std::size_t at, const std::string& got) {
    if (model_.compare(at, got.size(), got) == 0) return;
    std::size_t i = 0;
    while (model_[at + i] == got[i]) ++i;
    fail("byte " + std::to_string(at + i) + " differs: has " +
         std::to_string(static_cast<unsigned char>(got[i])) + ", should be " +
         std::to_string(static_cast<unsigned char>(model_[at + i])));
  }

  void write_some() {
    const std::size_t at = upto(kFileMax - kOpMax), n = 1 + upto(kOpMax);
    note("write", at, n);
    const std::string bytes = random_bytes(n);
    must(::pwrite(fd_, bytes.data(), n, at) == static_cast<ssize_t>(n), "pwrite");
    place(at, bytes);
  }
  void append_some() {
    if (model_.size() + kOpMax > kFileMax) return;
    const std::string bytes = random_bytes(1 + upto(kOpMax));
    note("append", model_.size(), bytes.size());
    const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND);
    must(fd >= 0, "open for append");
    must(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "append");
    must(::close(fd) == 0, "close after append");
    place(model_.size(), bytes);
  }
  void read_some() {
    const std::size_t at = upto(model_.size() + 1), n = 1 + upto(kOpMax);
    note("read", at, n);
    std::string got(n, '\0');
    const ssize_t r = ::pread(fd_, got.data(), n, at);
    must(r >= 0, "pread");
    got.resize(r);
    if (got.size() != std::min(n, model_.size() - at)) fail("read " + std::to_string(r) + " bytes");
    compare(at, got);
  }
  void truncate_some() {
    const std::size_t size = upto(kFileMax);
    note("truncate", size, 0);
    const bool by_name = rng_() % 2 == 0;
    must((by_name ? ::truncate(path_.c_str(), size) : ::ftruncate(fd_, size)) == 0, "truncate");
    model_.resize(size);
  }
  void* map(std::size_t at, std::size_t n, int protection) {
    void* p = ::mmap(nullptr, n, protection, MAP_SHARED, fd_, at);
    must(p != MAP_FAILED, "mmap");
    return p;
  }
  void map_read() {
    if (model_.empty()) return;
    const std::size_t at = upto(model_.size()) & ~4095ul, n = std::min(kOpMax, model_.size() - at);
    note("map read", at, n);
    void* p = map(at, n, PROT_READ);
    const std::string got(static_cast<char*>(p), n);
    ::munmap(p, n);
    compare(at, got);
  }
  void map_write() {
    if (model_.empty()) return;
    const std::size_t at = upto(model_.size()) & ~4095ul, n = std::min(kOpMax, model_.size() - at);
    note("map write", at, n);
    const std::string bytes = random_bytes(n);
    void* p = map(at, n, PROT_READ | PROT_WRITE);
    std::memcpy(p, bytes.data(), n);
    must(::msync(p, n, MS_SYNC) == 0, "msync");
    ::munmap(p, n);
    place(at, bytes);
  }
  void check_size() {
    note("stat", 0, 0);
    struct stat by_fd, by_name;
    must(::fstat(fd_, &by_fd) == 0 && ::stat(path_.c_str(), &by_name) == 0, "stat");
    const auto size = static_cast<off_t>(model_.size());
    if (by_fd.st_size != size || by_name.st_size != size) {
      fail("sizes " + std::to_string(by_fd.st_size) + " and " + std::to_string(by_name.st_size));
    }
  }
  void sync() {
    note("fsync", 0, 0);
    must(::fsync(fd_) == 0, "fsync");
  }
  void reopen(int flags) {
    note("reopen", 0, 0);
    if (fd_ >= 0) must(::close(fd_) == 0, "close");
    fd_ = ::open(path_.c_str(), O_RDWR | flags, 0644);
    must(fd_ >= 0, "open");
    if ((flags & O_TRUNC) != 0) model_.clear();
  }
  void rename_file() {
    note("rename", 0, 0);
    const std::string other = path_ + "~";
    must(::rename(path_.c_str(), other.c_str()) == 0, "rename");
    path_ = other.size() > path_.size() + 40 ? path_ : other;
    if (path_.size() > 200) {
      const std::string back = path_.substr(0, path_.find('~'));
      must(::rename(path_.c_str(), back.c_str()) == 0, "rename back");
      path_ = back;
    }
  }
  void punch() {
    if (model_.empty()) return;
    const std::size_t at = upto(model_.size()), n = std::min(1 + upto(kOpMax), model_.size() - at);
    note("punch", at, n);
    must(::fallocate(fd_, 3, at, n) == 0, "punch hole");
    model_.replace(at, n, std::string(n, '\0'));
  }

  std::string path_;
  std::mt19937 rng_;
  int fd_ = -1;
  std::string model_;
  std::deque<std::string> log_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: fsx DIR [OPERATIONS] [SEED]\n"), 2;
  const int operations = argc > 2 ? std::atoi(argv[2]) : 1000;
  const unsigned seed = argc > 3 ? std::atoi(argv[3]) : std::random_device()();
  std::printf("fsx: %d operations, seed %u\n", operations, seed);
  std::fflush(stdout);
  Fsx fsx(std::string(argv[1]) + "/fsx-" + std::to_string(::getpid()), seed);
  for (int i = 0; i < operations; ++i) fsx.step();
  std::printf("fsx: all the same\n");
  return 0;
}
