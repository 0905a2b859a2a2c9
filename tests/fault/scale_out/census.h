// SPDX-License-Identifier: MIT
// Where the stock lies, by the files on the disks, and where it should.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/model/cluster_map.h"
#include "tests/fault/scale_out/stock.h"

namespace aisfs::tests::scale {

/// An object, or one of its slices, on a mountpath of a target.
struct Spot {
  std::string bucket, key, target, mountpath;

  auto operator<=>(const Spot&) const = default;
  std::string to_string() const;
};

/// Tells whether a file is still the one that it was.
struct FileId {
  std::string path;
  std::uint64_t inode = 0, bytes = 0;

  bool is_same(const FileId& other) const { return path == other.path && inode == other.inode; }
};

using Spots = std::set<Spot>;
struct Census {
  std::map<Spot, FileId> files;
  std::vector<std::string> strays;  // two files in one spot; what no object of the stock is
};

/// By id of the target.
using Mountpaths = std::map<std::string, std::vector<std::string>>;

/// Of the targets that have mountpaths here.
Census take_census(const std::vector<StockBucket>& buckets,
                   std::size_t objects,
                   const Mountpaths& mountpaths);

/// What placement says of all objects of the stock.
Spots spots_by_placement(const std::vector<StockBucket>& buckets,
                         std::size_t objects,
                         const ClusterMap& map,
                         const Mountpaths& mountpaths);

/// Where the census is not what placement says; empty when it is.
std::string difference(const Census& census, const Spots& expected);

struct Moved {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};
/// Files that are not those that lay there before.
Moved moved_between(const Census& before, const Census& after);
/// Those that no placement of the stock can do without: in spots of `after` that are none of
/// `before`. Their bytes are those of `census`, which was taken after.
Moved ideal_between(const Spots& before, const Spots& after, const Census& census);

}  // namespace aisfs::tests::scale
