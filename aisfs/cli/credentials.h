// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>

#include "common/client/cluster_client.h"

namespace aisfs::cli {

/// The value of an environment variable, "" when it is not set.
using Environment = std::function<std::string(const std::string& name)>;
Environment environment_of_process();

/// In this order: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AIS_AUTHN_TOKEN, the file
/// ~/.config/aisfs/keys (lines access_key=..., secret_key=..., or the AWS names). All empty when
/// there are none: the cluster then says what it thinks of that.
///
/// permission_denied when others can read the file; invalid_argument for a half of a pair.
Result<Credentials> find_credentials(const Environment& environment);

/// What the text of a keys file holds; "[section]" lines of AWS's files are passed over, other
/// unknown lines are errors naming the line.
Result<Credentials> parse_keys_file(std::string_view text);

}  // namespace aisfs::cli
