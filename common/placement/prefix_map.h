// SPDX-License-Identifier: MIT
// Where names lie while renamed directories are being rewritten. Pure.
//
// A directory's rename moves nothing: it adds mappings (ClusterMap::mappings). `new/ -> old/` says
// that names under new/ may still lie under old/. Names under old/ that are made from now on must
// not mix with those, so `old/ -> %renamed-<id>/` gives them another place, until old/ has been
// emptied and they can come back. Background work moves every name to its home, and a mapping ends
// when nothing is left at its place.
//
// The longest prefix decides, in both directions. A place belongs to one mapping, so each object is
// seen under exactly one name.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"
#include "common/model/object.h"

namespace aisfs::placement {

/// More than these at once are refused (overloaded): every operation looks through them.
inline constexpr std::size_t kMappingsMax = 256;

/// Where an object of a name may lie.
struct Places {
  std::vector<std::string> sources;  // looked at first, in this order; nothing is made there
  std::string home;                  // where it lies else, and where it goes; "": nothing can
};

bool has_mappings(const ClusterMap& map, BucketId bucket);

/// True if the name is one of its own: nothing with this prefix is or was renamed.
bool is_plain(const ClusterMap& map, BucketId bucket, std::string_view prefix);

/// Of a name, or of all names with a prefix that ends in '/'.
Places places_of(const ClusterMap& map, BucketId bucket, std::string_view key);

/// The name with its home as key; the name itself where nothing is mapped. An empty key where no
/// object can be.
ObjectName home_of(const ClusterMap& map, ObjectName name);

/// The mapping that an object at this place belongs to; null for one that lies under its own name.
const PrefixMapping* mapping_at(const ClusterMap& map, BucketId bucket, std::string_view place);

/// Names from some name on that lie in the same places.
struct Interval {
  std::string prefix;                // of all of them: "" where nothing is mapped
  std::vector<std::string> regions;  // what takes its place, sources first; none: no names here
  std::string end;                   // the first name behind it; "": there is none
};
Interval interval_at(const ClusterMap& map, BucketId bucket, std::string_view from);

/// `id` as the place of what is made under a name whose old content is still to be moved.
std::string hidden_prefix(std::string_view id);

/// Renames `from` to `to`, of which nothing may exist; both end in '/', neither lies below the
/// other. `hidden` is a fresh hidden_prefix. overloaded: too many mappings.
Status rename_prefix(ClusterMap& map,
                     BucketId bucket,
                     const std::string& from,
                     const std::string& to,
                     const std::string& hidden);

/// Takes away a mapping at whose place nothing is left, or one of a prefix to itself. False, and
/// nothing changed, while others need it; one that is not there is true.
bool end_mapping(ClusterMap& map, const PrefixMapping& mapping);

}  // namespace aisfs::placement
