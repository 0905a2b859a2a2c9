// SPDX-License-Identifier: MIT
#pragma once
#include "node/front/native/native_front.h"
#include "node/target/local_target.h"

namespace aisfs::cluster {

/// The handler of the intra-cluster data listener: bulk bytes and methods of /v1 for other nodes,
/// by node signature only, answered from this node's disks or refused; never forwarded.
/// `deps.objects` is not used; on a gateway (no `deps.here`) only methods about buckets and the
/// map are answered. `target`, this node's, answers the calls of target::Peers; null without disks.
http::Handler make_data_handler(native::NativeFrontDeps deps,
                                target::LocalTarget* target = nullptr);

}  // namespace aisfs::cluster
