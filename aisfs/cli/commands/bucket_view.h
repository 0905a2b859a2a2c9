// SPDX-License-Identifier: MIT
// How a bucket and its properties look, for ls, show, create and bucket props.
#pragma once
#include "aisfs/cli/output.h"
#include "common/model/bucket.h"

namespace aisfs::cli {

JsonObject bucket_json(const Bucket& bucket);
/// PROPERTY VALUE rows.
void print_bucket(Output& out, const Bucket& bucket);

/// Changes the property that "name=value" names. invalid_argument lists what there is.
Status set_property(BucketProps& props, std::string_view assignment);
/// The names that set_property knows.
std::vector<std::string> property_names();

}  // namespace aisfs::cli
