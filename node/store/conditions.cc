// SPDX-License-Identifier: MIT
#include "node/store/conditions.h"

#include <algorithm>

namespace aisfs::store {
namespace {

bool has(const std::vector<std::string>& etags, const std::string& etag) {
  return std::find(etags.begin(), etags.end(), etag) != etags.end();
}

Error failed(std::string_view what) {
  return Error(Errc::precondition_failed, std::string(what));
}

/// HTTP dates have seconds.
std::int64_t seconds(std::int64_t ns) { return ns / 1'000'000'000; }

Status check_absent(const Conditions& c) {
  if (c.must_exist || !c.if_match.empty()) return Error(Errc::not_found, "the object does not exist");
  if (c.if_content_version || c.if_meta_version || c.if_ino || (c.if_size && *c.if_size != 0)) {
    return failed("the object does not exist any more");
  }
  return {};
}

Status check_identity(const Conditions& c, const ObjectInfo& there) {
  if (c.must_not_exist) return Error(Errc::already_exists, "the object exists");
  if (c.if_content_version && *c.if_content_version != there.content_version) {
    return failed("the content is of version " + there.content_version.to_string());
  }
  if (c.if_meta_version && *c.if_meta_version != there.meta_version) {
    return failed("the metadata are of version " + there.meta_version.to_string());
  }
  if (c.if_ino && *c.if_ino != there.ino) return failed("the name belongs to another object");
  if (c.if_size && *c.if_size != there.size) {
    return failed("the size is " + std::to_string(there.size));
  }
  return {};
}

}  // namespace

bool is_too_new(const Conditions& conditions, Version there) {
  return conditions.unless_newer && there > *conditions.unless_newer;
}

Error may_have_happened(const std::string& name) {
  return Error(Errc::timed_out,
               name + " has changed since the first attempt, which may have happened");
}

Status check_conditions(const Conditions& c, const ObjectInfo* there, Access access) {
  if (there == nullptr) return check_absent(c);
  CHECK_OK(check_identity(c, *there));
  const std::int64_t modified = seconds(there->modified_ns);
  if (!c.if_match.empty()) {
    if (!has(c.if_match, there->etag)) return failed("the etag is \"" + there->etag + "\"");
  } else if (c.if_unmodified_since_ns && modified > seconds(*c.if_unmodified_since_ns)) {
    return failed("modified since");
  }
  const bool unchanged =
      !c.if_none_match.empty()
          ? has(c.if_none_match, there->etag)
          : c.if_modified_since_ns && modified <= seconds(*c.if_modified_since_ns);
  if (!unchanged) return {};
  return access == Access::kRead ? Error(Errc::not_modified) : failed("the etag matches");
}

}  // namespace aisfs::store
