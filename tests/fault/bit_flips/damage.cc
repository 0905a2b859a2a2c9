// SPDX-License-Identifier: MIT
#include "tests/fault/bit_flips/damage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"
#include "node/store/object_meta.h"

namespace aisfs::tests::flips {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSector = 512;
// What is allocated in advance has its contents in front.
constexpr std::uint64_t kLookedAt = 1 << 20;

Result<UniqueFd> open_file(const std::string& path, int flags = O_RDWR) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open " + path);
  return fd;
}

std::uint64_t size_of(int fd) {
  struct stat st{};
  return ::fstat(fd, &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

std::string read_at(int fd, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(size, '\0');
  const ssize_t n = ::pread(fd, bytes.data(), size, static_cast<off_t>(offset));
  bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return bytes;
}

Status write_at(int fd, std::uint64_t offset, const std::string& bytes) {
  const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  return n == static_cast<ssize_t>(bytes.size()) ? Status() : errno_error("write");
}

std::string attribute_of(const std::string& path) {
  char value[4096];
  const ssize_t size = ::getxattr(path.c_str(), store::kMetaXattr, value, sizeof value);
  return size < 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

Status set_attribute(const std::string& path, const std::string& value) {
  const int done = value.empty()
                       ? ::removexattr(path.c_str(), store::kMetaXattr)
                       : ::setxattr(path.c_str(), store::kMetaXattr, value.data(), value.size(), 0);
  return done == 0 ? Status() : errno_error("attribute of " + path);
}

/// Other bytes of this kind in the place of `bytes`, which are not empty.
std::string changed(std::string bytes, Way way, Random& random) {
  if (way == Way::kBit) {
    const std::uint64_t bit = random() % (bytes.size() * 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  } else if (way == Way::kSector) {
    const std::string before = bytes;
    const bool zeros = random() % 2 == 0;
    for (char& c : bytes) c = zeros ? '\0' : static_cast<char>(random());
    if (bytes == before) bytes[0] = static_cast<char>(bytes[0] ^ 1);
  } else {
    bytes.resize(random() % bytes.size());
  }
  return bytes;
}

/// "BUCKET/HASH" when the path is of an object's file, by what its place says.
std::string object_of(const std::string& path, Place place) {
  const std::size_t bucket = path.rfind("/@");
  const std::size_t end = path.find("/%", bucket);
  const std::string name = path.substr(bucket + 1, end - bucket - 1) + "/";
  if (place == Place::kSide || place == Place::kSlice) {
    const std::size_t dash = path.rfind('-');
    return name + path.substr(dash + 1, 16);
  }
  constexpr std::string_view kFolder = "/%ob/";
  const std::size_t key = path.find(kFolder);
  return name + to_hex(xxh64(as_bytes(std::string_view(path).substr(key + kFolder.size()))));
}

bool place_of(const std::string& path, Place& place) {
  const auto in = [&path](const char* part) { return path.find(part) != std::string::npos; };
  const std::string name = path.substr(path.rfind('/') + 1);
  if (in("/%ob/")) return (place = Place::kContent, true);
  if (in("/%md/")) return (place = Place::kSide, true);
  if (in("/%ec/")) return (place = Place::kSlice, true);
  if (in("/%log/")) return (place = Place::kLog, true);
  if (in("/%intent/")) return (place = Place::kIntents, true);
  if (in("/%index/")) return (place = Place::kIndex, !name.starts_with("lock"));
  if (in("/state/meta/")) return (place = Place::kMap, !name.starts_with("lock"));
  if (name == "%id" || name == "%mountpaths" || name == "%clock" || name == "%buckets") {
    return (place = Place::kTable, true);
  }
  return false;
}

}  // namespace

std::string_view to_string(Place place) {
  constexpr std::array<std::string_view, kPlaces> kNames = {
      "content", "metadata", "side", "slice", "log", "intents", "index", "table", "map"};
  return kNames[static_cast<std::size_t>(place)];
}

std::string_view to_string(Way way) {
  constexpr std::array<std::string_view, kWays> kNames = {"bit", "sector", "cut", "swap"};
  return kNames[static_cast<std::size_t>(way)];
}

std::vector<File> files_below(const std::string& folder) {
  std::vector<File> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    File file{.path = entry.path()};
    if (!entry.is_regular_file() || !place_of(file.path, file.place)) continue;
    if (is_of_object(file.place)) file.object = object_of(file.path, file.place);
    found.push_back(file);
    if (file.place != Place::kContent) continue;
    file.place = Place::kMetadata;
    found.push_back(std::move(file));
  }
  std::ranges::sort(found, {}, [](const File& f) { return std::tie(f.path, f.place); });
  return found;
}

std::string Harm::describe() const {
  std::string text = std::string(to_string(way)) + " of " + std::string(to_string(file.place)) +
                     " in " + file.path;
  if (way == Way::kSwap) return text + " with " + other;
  return text + " at " + std::to_string(offset) + ", " + std::to_string(before.size()) + " bytes";
}

Result<Harm> damage(const File& file, Way way, Random& random) {
  Harm harm{.file = file, .way = way};
  if (file.place == Place::kMetadata) {
    harm.before = attribute_of(file.path);
    if (harm.before.empty()) return Error(Errc::not_found, "no attribute");
    harm.after = changed(harm.before, way, random);
    CHECK_OK(set_attribute(file.path, harm.after));
    return harm;
  }
  TRY(const UniqueFd fd, open_file(file.path));
  const std::uint64_t size = std::min(size_of(fd.get()), kLookedAt);
  if (size == 0) return Error(Errc::not_found, "an empty file");
  if (way == Way::kCut) {
    harm.offset = random() % size;
    harm.before = read_at(fd.get(), harm.offset, size_of(fd.get()));
    if (::ftruncate(fd.get(), static_cast<off_t>(harm.offset)) != 0) {
      return errno_error("truncate " + file.path);
    }
    return harm;
  }
  const std::uint64_t sectors = (size + kSector - 1) / kSector;
  harm.offset = random() % sectors * kSector;
  harm.before = read_at(fd.get(), harm.offset, std::min(kSector, size - harm.offset));
  harm.after = changed(harm.before, way, random);
  CHECK_OK(write_at(fd.get(), harm.offset, harm.after));
  return harm;
}

Result<Harm> exchange(const File& file, const File& with) {
  if (::renameat2(AT_FDCWD, file.path.c_str(), AT_FDCWD, with.path.c_str(), RENAME_EXCHANGE) != 0) {
    return errno_error("exchange " + file.path);
  }
  TRY(const UniqueFd fd, open_file(with.path, O_RDONLY));  // what was in `file`
  Harm harm{.file = file, .way = Way::kSwap, .other = with.path};
  harm.before = read_at(fd.get(), 0, kSector) + attribute_of(with.path);
  return harm;
}

Status undo(const Harm& harm) {
  if (harm.way == Way::kSwap) {
    const auto back = exchange(harm.file, {.path = harm.other});
    return back ? Status() : Status(back.error());
  }
  if (harm.file.place == Place::kMetadata) return set_attribute(harm.file.path, harm.before);
  TRY(const UniqueFd fd, open_file(harm.file.path));
  return write_at(fd.get(), harm.offset, harm.before);
}

bool is_still_there(const Harm& harm) {
  if (harm.file.place == Place::kMetadata && harm.way != Way::kSwap) {
    return attribute_of(harm.file.path) == harm.after;
  }
  const auto fd = open_file(harm.file.path, O_RDONLY);
  if (!fd) return true;
  const std::string now =
      read_at(fd->get(), harm.offset, std::max<std::size_t>(kSector, harm.before.size()));
  if (harm.way == Way::kSwap)
    return now.substr(0, kSector) + attribute_of(harm.file.path) != harm.before;
  return !now.starts_with(harm.before);
}

}  // namespace aisfs::tests::flips
