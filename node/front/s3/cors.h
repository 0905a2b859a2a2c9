// SPDX-License-Identifier: MIT
// Cross-origin requests: what a bucket's rules say to browsers.
#pragma once
#include "node/front/s3/request.h"

namespace aisfs::front::s3 {

/// The headers that the answer to a request with an Origin gets, whatever it is; none for others,
/// and where no rule of the bucket allows it.
http::Fields cors_answer(const S3FrontDeps& deps,
                         const http::RequestHead& head,
                         const std::string& bucket);

/// The answer to OPTIONS: by the bucket's rules alone, as browsers sign nothing.
Answer preflight(Request& r);

}  // namespace aisfs::front::s3
