// SPDX-License-Identifier: MIT
// POSIX attributes as x-amz-meta-* keys, the way s3fs and rclone write and read them. Pure.
//
//   mode   the whole st_mode in decimal: 33188 is S_IFREG | 0644         s3fs
//   uid, gid   decimal                                                   s3fs
//   mtime, ctime, atime   seconds since 1970, "1700000000" or            s3fs
//                         "1700000000.123456789"                         s3fs, rclone (mtime only)
//
// An object whose keys tell mode, uid or gid gets PosixAttrs; what is missing is S_IFREG | 0644
// (S_IFDIR for s3fs's directories), 0, and now. rclone sends mtime alone: that stays user metadata
// and makes no PosixAttrs, so that a mount shows its own defaults with that mtime
// (common/model/meta_time.h) instead of a file of root's.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "common/model/object.h"

namespace aisfs::front::s3 {

std::string format_meta_time(std::int64_t ns);

/// Takes the attributes' keys out of `user` (keys without x-amz-meta-, lower case). nullopt when
/// there are none (or only times), and for values that are not of the form above; they stay then.
/// `key` and `content_type` tell s3fs's directories ("dir/", application/x-directory) from files
/// when the mode does not.
std::optional<PosixAttrs> take_posix(std::map<std::string, std::string>& user,
                                     std::string_view key,
                                     std::string_view content_type,
                                     std::int64_t now_ns);

/// Whether these are the attributes of a symbolic link. s3fs stores its target as the content.
bool is_link(const std::optional<PosixAttrs>& posix);
/// Makes `target` the target of the link; a plain file of it when `target` can be none (empty, of
/// more than 4095 bytes, with a NUL).
void make_link(PosixAttrs& posix, std::string target);
inline constexpr std::size_t kLinkBytesMax = 4095;  // PATH_MAX without the NUL

/// The keys that show `posix`.
std::map<std::string, std::string> show_posix(const PosixAttrs& posix);

}  // namespace aisfs::front::s3
