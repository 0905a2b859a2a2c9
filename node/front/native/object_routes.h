// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/call.h"

namespace aisfs::native {

/// /v1/objects/<bucket>/<object>: bulk requests of our own clients, AIStore's for the rest. A
/// name that another node owns is redirected to it where the client can follow.
Task<void> serve_objects(Call& call);

// One operation each; the bucket's name was parsed, the owner is this node or the whole cluster.
Task<void> get_object(Call& call, ObjectName name);
Task<void> head_object(Call& call, ObjectName name);
Task<void> put_object(Call& call, ObjectName name);
Task<void> append_object(Call& call, ObjectName name);
Task<void> copy_object(Call& call, ObjectName name);
Task<void> put_object_part(Call& call, ObjectName name);
Task<void> delete_object(Call& call, ObjectName name);
Task<void> patch_object(Call& call, ObjectName name);
Task<void> post_object(Call& call, ObjectName name);

}  // namespace aisfs::native
