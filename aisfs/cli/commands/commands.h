// SPDX-License-Identifier: MIT
// The commands of `ais`, each in a file of its name.
#pragma once
#include "aisfs/cli/command_line.h"

namespace aisfs::cli {

void add_ls(Command& root);
void add_create(Command& root);
void add_rmb(Command& root);
void add_put(Command& root);
void add_get(Command& root);
void add_cat(Command& root);
void add_head(Command& root);
void add_rm(Command& root);
void add_mv(Command& root);
void add_cp(Command& root);
void add_show(Command& root);
/// Below `show`.
void add_show_rebalance(Command& show);
void add_show_job(Command& show);
void add_start(Command& root);
void add_stop(Command& root);
void add_job(Command& root);
void add_cluster(Command& root);
void add_storage(Command& root);
/// Below `storage`.
void add_scrub(Command& storage);
void add_wait(Command& root);
void add_user(Command& root);
void add_token(Command& root);
void add_bucket(Command& root);
/// Below `bucket`.
void add_bucket_copy(Command& bucket);
void add_completion(Command& root);
/// The hidden command behind shell completion; it reads the declarations of the others.
void add_complete(Command& root);

/// All of the above, in the order of --help.
void add_all(Command& root);

}  // namespace aisfs::cli
