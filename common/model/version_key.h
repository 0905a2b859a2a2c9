// SPDX-License-Identifier: MIT
// The names of versions of an object (S3's object versioning). Pure.
//
// The current version of a key is the object of that key. What else is kept of it, older versions
// and delete markers, are objects of their own under
//
//   <key> NUL <id>              a version with an id; ids of newer versions are smaller
//   <key> NUL <id> "-null"      one without: from before versioning, or written while suspended
//
// No client's key has a NUL, so they are nobody else's names, and they sort directly behind the
// key, newest first. They lie where their key lies (common/placement). `<key> NUL null`, which is
// stored nowhere, is how the one without an id is asked for.
#pragma once
#include <string>
#include <string_view>

#include "common/model/object.h"

namespace aisfs {

inline constexpr char kVersionSeparator = '\0';
inline constexpr std::string_view kNullVersion = "null";
/// Among ObjectInfo::headers: the id of a version that has one; that it is a delete marker.
inline constexpr std::string_view kVersionIdHeader = "x-amz-version-id";
inline constexpr std::string_view kDeleteMarkerHeader = "x-amz-delete-marker";

bool is_version_key(std::string_view key);
/// The key that a version belongs to; the key itself if it is none of a version.
std::string_view plain_key(std::string_view key);
/// What follows the separator; "" for a plain key.
std::string_view version_suffix(std::string_view key);

/// `id` may be kNullVersion. `key` is a plain key.
std::string version_key(std::string_view key, std::string_view id);
/// Where the object is kept once its name has a newer version.
std::string kept_key(std::string_view key, const ObjectInfo& info);
/// Behind all that is kept of the key, in the order of names.
std::string after_versions(std::string_view key);

/// 32 hexadecimal digits; of two versions the newer one's are smaller.
std::string new_version_id(Version version);
/// kNullVersion for an object without one.
std::string version_id(const ObjectInfo& info);
/// The id that a kept key tells.
std::string_view version_id_of_suffix(std::string_view suffix);
bool is_delete_marker(const ObjectInfo& info);

/// As validate_key, for keys of versions too.
Status validate_version_key(std::string_view key);

}  // namespace aisfs
