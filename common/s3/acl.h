// SPDX-License-Identifier: MIT
// Access control lists as S3 has them: who may do what with a bucket or an object beside its owner.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/http/message.h"

namespace aisfs::s3 {

enum class Permission : std::uint8_t { kRead, kWrite, kReadAcp, kWriteAcp, kFullControl };
std::string_view to_string(Permission permission);  // "READ", "READ_ACP", ...

struct Grant {
  static constexpr std::string_view kEverybody = "*";      // the group AllUsers
  static constexpr std::string_view kAuthenticated = "+";  // the group AuthenticatedUsers

  std::string grantee;  // a user id, or one of the above
  Permission permission = Permission::kRead;

  bool operator==(const Grant&) const = default;
};
using Acl = std::vector<Grant>;

inline constexpr std::size_t kGrantsMax = 100;

/// The grants of "public-read" and its like. invalid_argument for another word.
Result<Acl> canned_acl(std::string_view name, std::string_view owner);

/// Of x-amz-acl or x-amz-grant-*; only the owner's when there is none of them.
/// invalid_argument: both kinds, an unknown word, a grantee by mail address.
Result<Acl> acl_of_headers(const http::Fields& fields, std::string_view owner);
bool has_acl_headers(const http::Fields& fields);

/// An AccessControlPolicy. invalid_argument for anything else, or for more than kGrantsMax grants.
Result<Acl> parse_acl_xml(std::string_view text);

/// One line, as it is stored with the bucket or object: "" when nobody but the owner has anything.
std::string format_acl(const Acl& acl, std::string_view owner);
/// The list of such a line; of one that is none, the owner's alone.
Acl parse_stored_acl(std::string_view text, std::string_view owner);

/// Whether `user` ("": nobody that is known) has the permission by this list.
bool grants(const Acl& acl, std::string_view user, Permission permission);

}  // namespace aisfs::s3
