// SPDX-License-Identifier: MIT
// S3's error codes as aisfs errors, so that TRY works in the front, and back.
#pragma once
#include <string>
#include <string_view>

#include "common/auth/verifier.h"
#include "common/base/result.h"
#include "common/s3/error_body.h"

namespace aisfs::front::s3 {

using aisfs::s3::S3Error;

/// An error that s3_error_of words as this code ("InvalidPart"); its status is in errors.cc.
Error fail(std::string_view code, std::string message = {});
/// The S3 code of an error made by fail(), "" for any other.
std::string_view code_of(const Error& error);

/// What a not_found of the cluster speaks about.
enum class Noun : unsigned char { kBucket, kKey, kVersion, kUpload };
S3Error s3_error_of(const Error& error, Noun noun);
S3Error s3_error_of(auth::Refusal refusal, const Error& error);

}  // namespace aisfs::front::s3
