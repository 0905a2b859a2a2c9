// SPDX-License-Identifier: MIT
#include "node/front/s3/acl.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "common/s3/xml_writer.h"

namespace aisfs::front::s3 {
namespace {

using aisfs::s3::Acl;
using aisfs::s3::Grant;
using aisfs::s3::Permission;

constexpr std::size_t kAclBytesMax = 256 * 1024;
constexpr std::string_view kGroups = "http://acs.amazonaws.com/groups/global/";
constexpr std::string_view kInstance =
    R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type=)";

/// Of a new bucket the owner is the sender.
const std::string& owner_of(const Request& r) { return r.found ? r.found->owner : r.who().user(); }

Status check_grantees(const Request& r, const Acl& acl) {
  const MapSnapshot map = r.deps.map ? r.deps.map() : nullptr;
  for (const Grant& grant : acl) {
    const bool group = grant.grantee == Grant::kEverybody || grant.grantee == Grant::kAuthenticated;
    const bool known = group || grant.grantee == owner_of(r) || map == nullptr ||
                       map->users.contains(grant.grantee);
    if (!known) return fail("InvalidArgument", "no such user: " + grant.grantee);
  }
  return {};
}

Result<std::string> stored(const Request& r, Result<Acl> acl) {
  if (!acl) return fail("InvalidArgument", acl.error().what());
  CHECK_OK(check_grantees(r, *acl));
  return aisfs::s3::format_acl(*acl, owner_of(r));
}

std::string_view acl_of(const ObjectInfo& info) {
  const auto it = info.headers.find(std::string(kAclHeader));
  return it == info.headers.end() ? std::string_view() : std::string_view(it->second);
}

bool is_group(const Grant& grant) {
  return grant.grantee == Grant::kEverybody || grant.grantee == Grant::kAuthenticated;
}

/// Groups come first: test suites and some clients compare the first grant with one.
Acl in_order(const Acl& acl) {
  Acl ordered;
  std::copy_if(acl.begin(), acl.end(), std::back_inserter(ordered), is_group);
  std::copy_if(acl.begin(), acl.end(), std::back_inserter(ordered), std::not_fn(is_group));
  return ordered;
}

std::string to_xml(const Request& r, const Acl& acl) {
  aisfs::s3::XmlWriter xml("AccessControlPolicy", aisfs::s3::kS3Namespace);
  const std::string& owner = r.found->owner;
  xml.open("Owner").leaf("ID", owner).leaf("DisplayName", display_name_of(r, owner)).close();
  xml.open("AccessControlList");
  for (const Grant& grant : in_order(acl)) {
    xml.open("Grant");
    if (is_group(grant)) {
      const bool all = grant.grantee == Grant::kEverybody;
      xml.open_with("Grantee", std::string(kInstance) + "\"Group\"");
      xml.leaf("URI", std::string(kGroups) + (all ? "AllUsers" : "AuthenticatedUsers")).close();
    } else {
      xml.open_with("Grantee", std::string(kInstance) + "\"CanonicalUser\"");
      xml.leaf("ID", grant.grantee).leaf("DisplayName", display_name_of(r, grant.grantee)).close();
    }
    xml.leaf("Permission", aisfs::s3::to_string(grant.permission)).close();
  }
  return std::move(xml).finish();
}

/// The list that a PUT ?acl brings, in its headers or its body.
Task<Result<std::string>> wanted(Request& r) {
  CO_TRY(const std::string text, co_await read_body(r, kAclBytesMax));
  if (text.empty() || aisfs::s3::has_acl_headers(r.fields())) co_return acl_text_of(r, r.fields());
  auto acl = aisfs::s3::parse_acl_xml(text);
  if (!acl) co_return fail("MalformedACLError", acl.error().what());
  co_return stored(r, std::move(acl));
}

Task<Status> store_with_object(Request& r, std::string acl) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    CO_TRY(const ObjectInfo info,
           co_await r.deps.objects.head(r.context(), r.asked(), Conditions{}));
    if (acl_of(info) == acl) co_return Status{};
    AttrChange change;
    change.headers = info.headers;
    change.headers->erase(std::string(kAclHeader));
    if (!acl.empty()) (*change.headers)[std::string(kAclHeader)] = acl;
    Conditions unchanged{.if_meta_version = info.meta_version};
    auto set = co_await r.deps.objects.set_attrs(r.context(), r.asked(), std::move(change),
                                                 std::move(unchanged));
    if (set) co_return Status{};
    if (set.error() != Errc::precondition_failed || attempt == kAttempts) {
      co_return std::move(set).error();
    }
  }
}

/// For those who do not own the bucket.
Task<Result<Entry>> enter_by_acl(const Request& r, ObjectName name, std::optional<Needed> needed) {
  const MapSnapshot map = r.deps.map ? r.deps.map() : nullptr;
  const Bucket* bucket = map == nullptr ? nullptr : map->find_bucket(name.bucket);
  if (bucket == nullptr) co_return fail(map == nullptr ? "AccessDenied" : "NoSuchBucket");
  if (!needed) co_return fail("AccessDenied");
  std::string acl = bucket->props.acl;
  if (needed->of_object) {
    Context look = r.context();
    look.who = auth::Verifier::reader_of_acl(*bucket);
    const auto info = co_await r.deps.objects.head(std::move(look), std::move(name), Conditions{});
    // That a name is free is told to those who may list the names.
    if (!info && info.error() == Errc::not_found) {
      const auto may = auth::Verifier::by_acl(r.sender, Permission::kRead, *bucket, acl);
      co_return fail(may ? "NoSuchKey" : "AccessDenied");
    }
    if (!info) co_return info.error();
    acl = acl_of(*info);
  }
  auto who = auth::Verifier::by_acl(r.sender, needed->permission, *bucket, acl);
  if (!who) co_return fail("AccessDenied");
  Entry entry{*bucket, *std::move(who)};
  co_return entry;
}

}  // namespace

Result<std::string> acl_text_of(const Request& r, const http::Fields& fields) {
  return stored(r, aisfs::s3::acl_of_headers(fields, owner_of(r)));
}

Answer get_acl(Request& r) {
  std::string text = r.found->props.acl;
  if (!r.key.empty()) {
    CO_TRY(const ObjectInfo info,
           co_await r.deps.objects.head(r.context(), r.asked(), Conditions{}));
    text = acl_of(info);
  }
  co_return xml_reply(to_xml(r, aisfs::s3::parse_stored_acl(text, r.found->owner)));
}

Answer put_acl(Request& r) {
  CO_TRY(std::string acl, co_await wanted(r));
  if (r.key.empty()) {
    BucketProps props = r.found->props;
    props.acl = std::move(acl);
    CO_CHECK_OK(co_await set_props(r, std::move(props)));
  } else {
    CO_CHECK_OK(co_await store_with_object(r, std::move(acl)));
  }
  co_return empty_reply(200);
}

Task<Status> set_object_acl(Request& r, const ObjectInfo& info) {
  CO_TRY(std::string acl, acl_text_of(r, r.fields()));
  if (acl_of(info) == acl) co_return Status{};
  co_return co_await store_with_object(r, std::move(acl));
}

Task<Result<Entry>> enter(const Request& r, ObjectName name, std::optional<Needed> needed) {
  if (!r.sender.is_anonymous()) {
    auto own = co_await authorise(r, name.bucket.name);
    if (own) {
      Entry entry{*std::move(own), r.sender};
      co_return entry;
    }
    const bool denied =
        own.error() == Errc::permission_denied || code_of(own.error()) == "AccessDenied";
    if (!denied) co_return std::move(own).error();
  }
  co_return co_await enter_by_acl(r, std::move(name), needed);
}

}  // namespace aisfs::front::s3
