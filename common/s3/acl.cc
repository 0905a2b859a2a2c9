// SPDX-License-Identifier: MIT
#include "common/s3/acl.h"

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/text.h"
#include "common/s3/xml_reader.h"

namespace aisfs::s3 {
namespace {

constexpr std::string_view kGroups = "http://acs.amazonaws.com/groups/global/";
constexpr std::string_view kHeader = "x-amz-acl";
constexpr std::size_t kUserBytesMax = 256;

struct Named {
  std::string_view text, header;
  Permission permission;
};
constexpr std::array<Named, 5> kPermissions = {{
    {"READ", "x-amz-grant-read", Permission::kRead},
    {"WRITE", "x-amz-grant-write", Permission::kWrite},
    {"READ_ACP", "x-amz-grant-read-acp", Permission::kReadAcp},
    {"WRITE_ACP", "x-amz-grant-write-acp", Permission::kWriteAcp},
    {"FULL_CONTROL", "x-amz-grant-full-control", Permission::kFullControl},
}};

std::optional<Permission> parse_permission(std::string_view text) {
  for (const Named& named : kPermissions) {
    if (named.text == text) return named.permission;
  }
  return std::nullopt;
}

Error invalid(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

/// A group by its address, without what all such addresses begin with.
Result<std::string> group_of(std::string_view uri) {
  if (uri == std::string(kGroups) + "AllUsers") return std::string(Grant::kEverybody);
  if (uri == std::string(kGroups) + "AuthenticatedUsers") return std::string(Grant::kAuthenticated);
  return invalid("no such group: " + std::string(uri));
}

/// Ids are our own; what separates the parts of a stored line is in none of them.
Result<std::string> user_of(std::string_view id) {
  const bool plain =
      !id.empty() && id.size() <= kUserBytesMax && id.find_first_of(",:*+ \t\r\n") == id.npos;
  if (!plain) return invalid("no such user");
  return std::string(id);
}

/// `id="alice"`, `uri="http://..."`.
Result<std::string> grantee_of_header(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == text.npos) return invalid("a grantee is id=, or uri= of a group");
  const std::string_view kind = trim(text.substr(0, equals));
  std::string_view value = trim(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  if (iequals(kind, "id")) return user_of(value);
  if (iequals(kind, "uri")) return group_of(value);
  return invalid("grantees are named by id or uri");
}

Result<std::string> grantee_of(const XmlNode& node) {
  if (node.find("URI") != nullptr) return group_of(node.get("URI"));
  if (node.find("ID") != nullptr) return user_of(node.get("ID"));
  return invalid("grantees are named by ID or URI");
}

}  // namespace

std::string_view to_string(Permission permission) {
  return kPermissions[static_cast<std::size_t>(permission)].text;
}

Result<Acl> canned_acl(std::string_view name, std::string_view owner) {
  Acl acl{{std::string(owner), Permission::kFullControl}};
  const auto add = [&](std::string_view who, Permission what) {
    acl.push_back({std::string(who), what});
  };
  if (name == "public-read" || name == "public-read-write") {
    add(Grant::kEverybody, Permission::kRead);
    if (name == "public-read-write") add(Grant::kEverybody, Permission::kWrite);
  } else if (name == "authenticated-read") {
    add(Grant::kAuthenticated, Permission::kRead);
  } else if (name != "private" && name != "bucket-owner-read" &&
             name != "bucket-owner-full-control" && name != "aws-exec-read" &&
             name != "log-delivery-write") {
    return invalid("x-amz-acl is not a canned ACL");
  }
  return acl;
}

bool has_acl_headers(const http::Fields& fields) {
  return fields.has(kHeader) || std::any_of(kPermissions.begin(), kPermissions.end(),
                                            [&](const Named& n) { return fields.has(n.header); });
}

Result<Acl> acl_of_headers(const http::Fields& fields, std::string_view owner) {
  const std::string* canned = fields.find(kHeader);
  Acl acl;
  for (const Named& named : kPermissions) {
    const std::string* list = fields.find(named.header);
    if (list == nullptr) continue;
    if (canned != nullptr) return invalid("either x-amz-acl or x-amz-grant-*, not both");
    for (std::string_view one : split(*list, ',')) {
      TRY(std::string grantee, grantee_of_header(trim(one)));
      acl.push_back({std::move(grantee), named.permission});
      if (acl.size() > kGrantsMax) return invalid("too many grants");
    }
  }
  if (!acl.empty()) return acl;
  return canned_acl(canned != nullptr ? std::string_view(*canned) : "private", owner);
}

Result<Acl> parse_acl_xml(std::string_view text) {
  TRY(const XmlNode root, parse_xml(text, {.bytes = 256 * 1024, .depth = 8, .nodes = 2000}));
  const XmlNode* list = root.find("AccessControlList");
  if (root.name != "AccessControlPolicy" || list == nullptr) {
    return invalid("not an AccessControlPolicy");
  }
  Acl acl;
  for (const XmlNode& node : list->children) {
    if (node.name != "Grant") continue;
    const XmlNode* grantee = node.find("Grantee");
    const auto permission = parse_permission(trim(node.get("Permission")));
    if (grantee == nullptr || !permission) return invalid("a grant has a grantee and a permission");
    TRY(std::string who, grantee_of(*grantee));
    acl.push_back({std::move(who), *permission});
    if (acl.size() > kGrantsMax) return invalid("too many grants");
  }
  return acl;
}

std::string format_acl(const Acl& acl, std::string_view owner) {
  if (acl == Acl{{std::string(owner), Permission::kFullControl}}) return {};
  std::string line;
  for (const Grant& grant : acl) {
    if (!line.empty()) line += ",";
    line.append(grant.grantee).append(":").append(to_string(grant.permission));
  }
  return line.empty() ? "," : line;  // not the default: nobody at all
}

Acl parse_stored_acl(std::string_view text, std::string_view owner) {
  Acl acl;
  for (std::string_view one : split(text, ',')) {
    const auto colon = one.rfind(':');
    if (colon == one.npos) continue;
    const auto permission = parse_permission(one.substr(colon + 1));
    if (permission) acl.push_back({std::string(one.substr(0, colon)), *permission});
  }
  if (text.empty()) acl.push_back({std::string(owner), Permission::kFullControl});
  return acl;
}

bool grants(const Acl& acl, std::string_view user, Permission permission) {
  return std::any_of(acl.begin(), acl.end(), [&](const Grant& grant) {
    const bool what =
        grant.permission == permission || grant.permission == Permission::kFullControl;
    const bool who =
        grant.grantee == Grant::kEverybody ||
        (!user.empty() && (grant.grantee == Grant::kAuthenticated || grant.grantee == user));
    return what && who;
  });
}

}  // namespace aisfs::s3
