// SPDX-License-Identifier: MIT
// Rendezvous hashing, exactly as AIStore's, so that its SDK finds our objects by itself.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/model/cluster_map.h"
#include "common/model/object.h"

namespace aisfs::placement {

/// XXH64 with AIStore's seed: of node ids, mountpaths and object unames.
std::uint64_t digest(std::string_view text);

/// AIStore's mixing function (xoshiro256** seeded by splitmix64, first output).
std::uint64_t mix(std::uint64_t seed);

/// Whether a name's last component is what rsync calls a file until it is complete: ".name.AbC123".
bool is_rsync_temporary(std::string_view component);

/// What is hashed for a name: its uname, with three rules of our own. The last component of an
/// rsync temporary ".name.AbC123" counts as "name", so that the rename that follows stays on one
/// disk (the rule is GlusterFS's). A last '/' does not count, so that one target knows whether a
/// path is a file or a directory. Nor does what makes a version key of it, so that all versions lie
/// together.
std::uint64_t placement_digest(const ObjectName& name);

/// The index of the heaviest node for the key; ties go to the last. `nodes` is not empty.
std::size_t heaviest(const std::vector<std::uint64_t>& node_digests, std::uint64_t key_digest);

/// The indexes of the `count` heaviest nodes, or of all if there are fewer, in the order of their
/// weights: [0] is what heaviest() says.
std::vector<std::size_t> heaviest(const std::vector<std::uint64_t>& node_digests,
                                  std::uint64_t key_digest,
                                  std::size_t count);

/// The target that owns the name in this map; null when no target is active, and while the name is
/// being handed over (Placement::held), when nobody answers for it.
const NodeInfo* owner_of(const ClusterMap& map, const ObjectName& name);

/// Whether nobody owns the name because it is being handed over.
bool is_handed_over(const ClusterMap& map, const ObjectName& name);

/// The targets that hold a name of which `count` copies are kept: [0] is the owner, the others are
/// the next in the order of their weights, on hosts of their own as far as there are any. Fewer when
/// there are fewer active targets.
std::vector<const NodeInfo*> holders_of(const ClusterMap& map,
                                        const ObjectName& name,
                                        std::size_t count);

/// Their ids.
std::vector<std::string> holder_ids(const ClusterMap& map,
                                    const ObjectName& name,
                                    std::size_t count);

/// Who held a name before it was placed as it is now (Placement::past).
struct PastHolders {
  /// For each of the past sets that `self` was not a holder of: whose answer tells what was
  /// acknowledged then. One of each is enough, because all of them had to have it.
  std::vector<std::vector<std::string>> sets;
  /// All who may have a copy of it that is of no use any more: not `self`, nor those who hold it
  /// now.
  std::vector<std::string> others;

  bool empty() const { return sets.empty() && others.empty(); }
};

/// Empty when the placement is settled, or the bucket younger.
PastHolders past_holders(const ClusterMap& map,
                         const Bucket& bucket,
                         const ObjectName& name,
                         std::string_view self);

/// All who may have something of a name of which `count` parts are kept: those who hold it now and,
/// while names move, those who did. Ids, each once; those of now first, in their order.
std::vector<std::string> may_hold(const ClusterMap& map, const ObjectName& name, std::size_t count);

/// The targets that do not answer now and without which it is not known what the bucket holds;
/// empty: the others have a copy of everything between them.
std::vector<std::string> needed_for_all(const ClusterMap& map, const Bucket& bucket);

}  // namespace aisfs::placement
