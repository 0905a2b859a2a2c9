// SPDX-License-Identifier: MIT
#pragma once
#include "node/store/put.h"

namespace aisfs::store {

/// Of a PUT that has been sent before (Conditions::unless_newer): what is there, if the PUT is not
/// to be done because that is what it makes; nullopt if it is. timed_out when it is too new and
/// something else. The caller holds the lock; all arguments outlive the task.
Task<Result<std::optional<ObjectInfo>>> find_repeated(
    Engine& engine, const Key& key, const PutOptions& options, Body& body, std::uint64_t size);

}  // namespace aisfs::store
