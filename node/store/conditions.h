// SPDX-License-Identifier: MIT
#pragma once
#include "common/client/object_api.h"

namespace aisfs::store {

enum class Access : std::uint8_t { kRead, kWrite };

/// Whether an operation may happen on what is there (null: nothing). Pure; the order is that of
/// RFC 9110: If-Match beats If-Unmodified-Since, If-None-Match beats If-Modified-Since.
///
/// not_found where something must be there, already_exists (must_not_exist), precondition_failed,
/// and not_modified for reads.
Status check_conditions(const Conditions& conditions, const ObjectInfo* there, Access access);

/// Whether what is there, a tombstone perhaps, is newer than Conditions::unless_newer.
bool is_too_new(const Conditions& conditions, Version there);
/// timed_out, for what is too new and not what the operation makes.
Error may_have_happened(const std::string& name);

}  // namespace aisfs::store
