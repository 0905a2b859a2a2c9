// SPDX-License-Identifier: MIT
#include "tests/fault/scale_out/census.h"

#include <sys/stat.h>

#include <filesystem>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/placement/hrw.h"

namespace aisfs::tests::scale {
namespace {

namespace fs = std::filesystem;

/// All files below a folder; some may go while it is read.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(folder, ignored);
       at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    if (at->is_regular_file(ignored)) files.push_back(at->path().string());
  }
  return files;
}

/// What is in a name of a slice: "<version>-<hash of key>.<index>".
std::string hash_in(const std::string& path) {
  const std::size_t dot = path.rfind('.'), dash = path.rfind('-');
  return dash == path.npos || dot == path.npos || dot < dash
             ? std::string()
             : path.substr(dash + 1, dot - dash - 1);
}

class Counter {
 public:
  Counter(Census& census, std::size_t objects) : census_(census) {
    for (std::size_t i = 0; i < objects; ++i) {
      by_hash_[to_hex(xxh64(as_bytes(Stock::key(i))))] = Stock::key(i);
    }
  }

  void count(const StockBucket& bucket, const std::string& target, const std::string& mountpath) {
    const std::string folder = mountpath + "/@ais/" + bucket.name.name;
    const std::string objects = folder + "/%ob/";
    for (const std::string& path : files_below(objects + "stock")) {
      if (bucket.props.erasure.enabled()) {
        census_.strays.push_back(path + " is not in slices");
        continue;
      }
      add({bucket.name.name, path.substr(objects.size()), target, mountpath}, path);
    }
    for (const std::string& path : files_below(folder + "/%ec")) {
      const auto key = by_hash_.find(hash_in(path));  // other objects have slices, too
      if (key == by_hash_.end()) continue;
      add({bucket.name.name, key->second, target, mountpath}, path);
    }
  }

 private:
  void add(Spot spot, const std::string& path) {
    struct ::stat status{};
    if (::stat(path.c_str(), &status) != 0) return;  // it goes
    FileId id{
        .path = path, .inode = status.st_ino, .bytes = static_cast<std::uint64_t>(status.st_size)};
    const auto [_, added] = census_.files.emplace(std::move(spot), std::move(id));
    if (!added) census_.strays.push_back(path + " lies beside another of its object");
  }

  Census& census_;
  std::map<std::string, std::string> by_hash_;
};

}  // namespace

std::string Spot::to_string() const {
  return bucket + "/" + key + " on " + target + " in " + mountpath;
}

Census take_census(const std::vector<StockBucket>& buckets,
                   std::size_t objects,
                   const Mountpaths& mountpaths) {
  Census census;
  Counter counter(census, objects);
  for (const auto& [target, paths] : mountpaths) {
    for (const std::string& path : paths) {
      for (const StockBucket& bucket : buckets) counter.count(bucket, target, path);
    }
  }
  return census;
}

Spots spots_by_placement(const std::vector<StockBucket>& buckets,
                         std::size_t objects,
                         const ClusterMap& map,
                         const Mountpaths& mountpaths) {
  std::map<std::string, std::vector<std::uint64_t>> digests;
  for (const auto& [target, paths] : mountpaths) {
    for (const std::string& path : paths) digests[target].push_back(placement::digest(path));
  }
  Spots spots;
  for (const StockBucket& bucket : buckets) {
    for (std::size_t i = 0; i < objects; ++i) {
      const ObjectName name{bucket.name, Stock::key(i)};
      for (const std::string& target : placement::holder_ids(map, name, bucket.holders())) {
        const auto known = mountpaths.find(target);
        if (known == mountpaths.end()) continue;
        const std::size_t mountpath =
            placement::heaviest(digests[target], placement::placement_digest(name));
        spots.insert({bucket.name.name, name.key, target, known->second[mountpath]});
      }
    }
  }
  return spots;
}

std::string difference(const Census& census, const Spots& expected) {
  if (!census.strays.empty()) {
    return std::to_string(census.strays.size()) + " strays, among them " + census.strays.front();
  }
  std::vector<std::string> differ;
  for (const Spot& spot : expected) {
    if (!census.files.contains(spot)) differ.push_back("missing: " + spot.to_string());
  }
  for (const auto& [spot, _] : census.files) {
    if (!expected.contains(spot)) differ.push_back("too much: " + spot.to_string());
  }
  if (differ.empty()) return {};
  return std::to_string(differ.size()) + " of " + std::to_string(expected.size()) +
         " files are not where they belong, among them " + differ.front();
}

Moved moved_between(const Census& before, const Census& after) {
  Moved moved;
  for (const auto& [spot, file] : after.files) {
    const auto was = before.files.find(spot);
    if (was != before.files.end() && was->second.is_same(file)) continue;
    ++moved.files;
    moved.bytes += file.bytes;
  }
  return moved;
}

Moved ideal_between(const Spots& before, const Spots& after, const Census& census) {
  Moved moved;
  for (const Spot& spot : after) {
    if (before.contains(spot)) continue;
    ++moved.files;
    const auto file = census.files.find(spot);
    if (file != census.files.end()) moved.bytes += file->second.bytes;
  }
  return moved;
}

}  // namespace aisfs::tests::scale
