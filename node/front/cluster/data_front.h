// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/native_front.h"

namespace aisfs::cluster {

/// The handler of the intra-cluster data listener: bulk bytes and methods of /v1 for other nodes,
/// by node signature only, answered from this node's disks or refused; never forwarded.
/// `deps.objects` is not used; on a gateway (no `deps.here`) only methods about buckets and the
/// map are answered.
http::Handler make_data_handler(native::NativeFrontDeps deps);

}  // namespace aisfs::cluster
