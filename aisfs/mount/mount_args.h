// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "aisfs/fs/options.h"
#include "common/client/cluster_client.h"
#include "common/client/endpoints.h"

namespace aisfs::mount {

/// The command line of aisfs (and of mount.aisfs, which mount(8) calls).
struct MountArgs {
  GivenEndpoints endpoints;
  std::string ca_file;  // "": the system's
  Credentials credentials;
  std::string mountpoint;
  bool foreground = false;
  bool help = false, version = false;
  fs::Options options;
  std::vector<std::string> kernel_options;
  std::string log_file;
  std::string log_level = "info";
};

/// aisfs ENDPOINT[,ENDPOINT...] MOUNTPOINT [-o NAME[=VALUE],...] [-f]
///
/// Keys: -o access_key=,secret_key=; else -o keys=FILE; else AWS_ACCESS_KEY_ID and
/// AWS_SECRET_ACCESS_KEY. invalid_argument names the option and what it takes.
Result<MountArgs> parse_mount_args(const std::vector<std::string>& args);

/// The two keys of a file that only its owner can read: two lines, or the lines aws_access_key_id
/// and aws_secret_access_key of an AWS credentials file.
Result<Credentials> read_keys_file(const std::string& path);

std::string usage();

}  // namespace aisfs::mount
