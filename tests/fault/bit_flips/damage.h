// SPDX-License-Identifier: MIT
// What a disk may do to the files of a node that is down.
#pragma once
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace aisfs::tests::flips {

using Random = std::mt19937_64;

/// Where it is done: in what objects consist of, and in what a target and a gateway keep beside.
enum class Place : std::uint8_t {
  kContent,   // the bytes of an object's file
  kMetadata,  // its xattr
  kSide,      // the side file of long metadata
  kSlice,     // blocks, hashes and header of a slice
  kLog,       // tombstones, references
  kIntents,
  kIndex,  // derived from the others
  kTable,  // what a mountpath says of itself
  kMap,    // the gateway's cluster map
};
inline constexpr std::size_t kPlaces = 9;
std::string_view to_string(Place place);
/// Of objects; such damage is for readers and the scrub to notice.
inline bool is_of_object(Place place) { return place <= Place::kSlice; }

/// kCut leaves less than there was, an attribute goes altogether; kSwap exchanges two files with
/// their attributes.
enum class Way : std::uint8_t { kBit, kSector, kCut, kSwap };
inline constexpr std::size_t kWays = 4;
std::string_view to_string(Way way);

struct File {
  std::string path;
  Place place = Place::kContent;
  std::string object;  // "BUCKET/HASH" of the key that it belongs to; "" for a node's own
};

/// All files of a node below this folder that may be damaged. Those that say nothing are not among
/// them: work files, what is in %bad, logs of the process.
std::vector<File> files_below(const std::string& folder);

/// One place that was changed, and what was there.
struct Harm {
  File file;
  Way way = Way::kBit;
  std::string other;  // kSwap: the file that it was exchanged with
  std::uint64_t offset = 0;
  std::string before;  // from `offset` on; of kMetadata the whole attribute
  std::string after;   // in its place

  std::string describe() const;
};

/// Does it. not_found when there is nothing there that could change.
Result<Harm> damage(const File& file, Way way, Random& random);
Result<Harm> exchange(const File& file, const File& with);
Status undo(const Harm& harm);
/// Whether the damage can still be seen in the file.
bool is_still_there(const Harm& harm);

}  // namespace aisfs::tests::flips
