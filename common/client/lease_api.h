// SPDX-License-Identifier: MIT
#pragma once
#include "common/async/task.h"
#include "common/client/object_api.h"
#include "common/wire/leases.h"

namespace aisfs {

/// How a mount keeps its sessions (common/wire/leases.h). Thread-safe.
class LeaseApi {
 public:
  virtual ~LeaseApi() = default;

  /// One poll of one target, one attempt. unsupported when the node knows no leases.
  virtual Task<Result<wire::LeasePollReply>> poll_leases(NodeInfo target,
                                                         wire::LeasePollRequest request,
                                                         Deadline deadline) = 0;
  /// Asks one target for a directory, or gives it back; one attempt.
  virtual Task<Status> delegate(NodeInfo target,
                                wire::DelegateRequest request,
                                Deadline deadline) = 0;
};

}  // namespace aisfs
