// SPDX-License-Identifier: MIT
// Where things lie on a mountpath. Pure: text in, text out; no path here is absolute.
//
//   <mountpath>/%id  %log/  %intent/  %index/  %wk/  %deleted/  %bad/          the mountpath's own
//   <mountpath>/@<provider>[/<ns>]/<bucket>/%ob/<key>                an ordinary object
//                                          /%ob/<dir>/%dir           the marker object "<dir>/"
//                                          /%esc/<hh>/<sha256 of key>  a key no file can have
//                                          /%md/<hh>/<version>-<hash of key>   metadata that is too
//                                          long
//                                          /%xt/<hh>/<version>-<hash of key>   extents over a base
//                                          version
//                                          /%old/<hh>/<version>-<hash of key>  superseded, still
//                                          pinned
//                                          /%up/<upload>/<part>      multipart uploads
//                                          /%ec/<hh>/<version>-<hash of key>.<index>  slices
//                                          (slice_file.h)
//
// A key is escaped when it has an empty component (a leading '/', "//", "/" alone), a component
// ".", ".." or "%dir", one over 255 bytes, or more than 64 components. Everything else, control
// bytes and invalid UTF-8 included, is its own path. Two keys never share a path.
//
// `a` beside `a/b`: a file system cannot hold both. Whoever comes second gets escaped_path: the
// store takes it when the plain path answers not_directory, is_directory, already_exists or
// not_empty for a folder in the way. So an object is at its plain or at its escaped path, the index
// says which, and the true key is in the metadata.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/model/object.h"

namespace aisfs::store::layout {

inline constexpr std::size_t kComponentBytesMax = 255;
inline constexpr std::size_t kComponentsMax = 64;

inline constexpr const char* kIdentityFile = "%id";
inline constexpr const char* kLogDir = "%log";
inline constexpr const char* kIntentDir = "%intent";
inline constexpr const char* kIndexDir = "%index";
inline constexpr const char* kWorkDir = "%wk";
inline constexpr const char* kDeletedDir = "%deleted";
inline constexpr const char* kBadDir = "%bad";

/// "@ais/demo", "@ais/@uuid#ns/demo". invalid_argument for a provider, namespace or name that is
/// not one path component, or is "." or "..", or a name that begins with '%'.
Result<std::string> bucket_dir(const BucketName& bucket);
/// The bucket whose folder this is; nullopt when it is none.
std::optional<BucketName> bucket_of(std::string_view dir);

/// Where a key lies in its bucket's folder.
struct ObjectPath {
  std::string path;      // with the bucket's folder in front
  bool escaped = false;  // the path does not tell the key

  bool operator==(const ObjectPath&) const = default;
};

/// True when the key cannot be its own path.
bool must_escape(std::string_view key);
/// The path to try first. `key` has passed validate_key.
ObjectPath object_path(const std::string& bucket_dir, std::string_view key);
/// The path that always works.
ObjectPath escaped_path(const std::string& bucket_dir, std::string_view key);

/// The key of a path beneath the bucket's "%ob/" (given without it); nullopt for a name that no key
/// has there (a stray file).
std::optional<std::string> key_of_plain(std::string_view below_ob);

inline std::string objects_dir(const std::string& bucket_dir) { return bucket_dir + "/%ob"; }
inline std::string escaped_dir(const std::string& bucket_dir) { return bucket_dir + "/%esc"; }
inline std::string side_dir(const std::string& bucket_dir) { return bucket_dir + "/%md"; }
inline std::string extents_dir(const std::string& bucket_dir) { return bucket_dir + "/%xt"; }
inline std::string old_dir(const std::string& bucket_dir) { return bucket_dir + "/%old"; }
inline std::string slices_dir(const std::string& bucket_dir) { return bucket_dir + "/%ec"; }
inline std::string uploads_dir(const std::string& bucket_dir) { return bucket_dir + "/%up"; }

/// xxh64 of the key: a part of names, not an identity.
std::uint64_t key_hash(std::string_view key);

/// Files that belong to one version of one key. Versions of different nodes may be equal, so the
/// key's hash is part of the name.
std::string side_path(const std::string& bucket_dir, std::uint64_t key_hash, Version meta_version);
std::string extents_path(const std::string& bucket_dir, std::uint64_t key_hash, Version version);
std::string old_path(const std::string& bucket_dir, std::uint64_t key_hash, Version version);
std::string slice_path(const std::string& bucket_dir,
                       std::uint64_t key_hash,
                       Version version,
                       unsigned index);

/// The folder that a destroyed bucket is moved to before it is emptied.
std::string deleted_path(BucketId id);

}  // namespace aisfs::store::layout
