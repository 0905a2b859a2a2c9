// SPDX-License-Identifier: MIT
// Access control lists: the owner has full control, and nobody else has any.
#include "node/front/s3/acl.h"

#include <algorithm>
#include <array>

#include "common/s3/xml_reader.h"
#include "common/s3/xml_writer.h"

namespace aisfs::front::s3 {
namespace {

constexpr std::array<std::string_view, 8> kCanned = {
    "private",       "public-read",       "public-read-write",         "authenticated-read",
    "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"};
constexpr std::size_t kAclBytesMax = 256 * 1024;

/// An object's ACL is that of an existing object.
Task<Status> check_object(Request& r) {
  if (r.key.empty()) co_return Status{};
  CO_TRY(const auto info, co_await r.deps.objects.head(r.context(), r.object(), Conditions{}));
  static_cast<void>(info);
  co_return Status{};
}

}  // namespace

Status check_canned_acl(const Request& r) {
  const auto* acl = r.fields().find("x-amz-acl");
  if (acl == nullptr || std::find(kCanned.begin(), kCanned.end(), *acl) != kCanned.end()) return {};
  return fail("InvalidArgument", "x-amz-acl is not a canned ACL");
}

Answer get_acl(Request& r) {
  CO_CHECK_OK(co_await check_object(r));
  const std::string& owner = r.found->owner;
  const std::string name = display_name_of(r, owner);
  aisfs::s3::XmlWriter xml("AccessControlPolicy", aisfs::s3::kS3Namespace);
  xml.open("Owner").leaf("ID", owner).leaf("DisplayName", name).close();
  xml.open("AccessControlList").open("Grant");
  xml.open_with(
      "Grantee",
      R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser")");
  xml.leaf("ID", owner).leaf("DisplayName", name).close();
  xml.leaf("Permission", "FULL_CONTROL");
  co_return xml_reply(std::move(xml).finish());
}

Answer put_acl(Request& r) {
  CO_CHECK_OK(check_canned_acl(r));
  CO_CHECK_OK(co_await check_object(r));
  CO_TRY(const std::string text, co_await read_body(r, kAclBytesMax));
  if (!text.empty()) {
    const auto root = aisfs::s3::parse_xml(text);
    if (!root.ok() || root->name != "AccessControlPolicy") co_return fail("MalformedXML");
  }
  co_return empty_reply(200);
}

}  // namespace aisfs::front::s3
