// SPDX-License-Identifier: MIT
#pragma once
#include <boost/json/object.hpp>

#include "common/model/bucket.h"

namespace aisfs::native {

/// The properties of a bucket as AIStore's Bprops, with our own under "extra.aisfs".
boost::json::object bprops_json(const Bucket& bucket);

/// `props` changed by a BpropsToSet (any subset of the tree; null changes nothing).
/// unsupported for what this release cannot do (ec, backend_bck), invalid_argument for bad values.
Result<BucketProps> apply_bprops(BucketProps props, const boost::json::value& change);

}  // namespace aisfs::native
