// SPDX-License-Identifier: MIT
// Secrets at rest, and new ones.
//
//   sealed = "s1." base64url(nonce[12] ciphertext tag[16])      AES-256-GCM
#pragma once
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/s3/sigv4.h"

namespace aisfs::auth {

/// Encrypts `plain` under a 32-byte key; `bound_to` (the access key) is authenticated with it, so
/// that a sealed secret cannot be moved to another access key.
std::string seal(std::string_view key, std::string_view plain, std::string_view bound_to);
/// corrupt when the key, the binding or a bit is wrong; unsupported for a newer format.
Result<std::string> unseal(std::string_view key, std::string_view sealed, std::string_view bound_to);

/// 20 of [A-Z0-9] and 40 of [A-Za-z0-9], the forms that S3 tools expect.
s3::KeyPair generate_keys();
/// invalid_argument unless access key 3..128 of [A-Za-z0-9_.-] and secret 8..128 printable.
Status validate_keys(const s3::KeyPair& keys);

}  // namespace aisfs::auth
