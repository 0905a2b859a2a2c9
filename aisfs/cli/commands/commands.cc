// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"

namespace aisfs::cli {

void add_all(Command& root) {
  add_ls(root);
  add_put(root);
  add_get(root);
  add_cat(root);
  add_head(root);
  add_cp(root);
  add_mv(root);
  add_rm(root);
  add_create(root);
  add_rmb(root);
  add_bucket(root);
  add_show(root);
  add_cluster(root);
  add_storage(root);
  add_start(root);
  add_stop(root);
  add_wait(root);
  add_job(root);
  add_user(root);
  add_token(root);
  add_completion(root);
  add_complete(root);
}

}  // namespace aisfs::cli
