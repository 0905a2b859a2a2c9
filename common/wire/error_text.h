// SPDX-License-Identifier: MIT
// An Error as one line of text, so that the other side has the same Errc again.
#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace aisfs::wire {

/// "<errc name> <percent-encoded text>": fits in a header field.
std::string encode_error(const Error& error);

/// The error of encode_error. A name of a newer release becomes the code that its HTTP status
/// stands for; so does an empty or broken text.
Error decode_error(std::string_view text, int http_status);

/// What an HTTP status without more says: 404 is not_found, 503 is not_ready, ...
Errc errc_of_status(int http_status);

}  // namespace aisfs::wire
