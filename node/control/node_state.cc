// SPDX-License-Identifier: MIT
#include "node/control/node_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/wire/envelope.h"
#include "node/control/small_file.h"

namespace aisfs::control {
namespace {

std::string file_of(const std::string& data_dir) { return data_dir + "/node.state"; }
std::string random_hex(std::size_t bytes) { return to_hex(as_bytes(random_bytes(bytes))); }

}  // namespace

Result<NodeIdentity> load_identity(const std::string& data_dir, NodeRole role, std::string wanted) {
  auto bytes = read_private_file(file_of(data_dir));
  if (!bytes && bytes.error().code() != Errc::not_found) return std::move(bytes).error();
  NodeIdentity identity;
  if (bytes) {
    TRY(identity, wire::decode<NodeIdentity>(*bytes));
    if (!wanted.empty() && wanted != identity.id) {
      return Error(Errc::invalid_argument, data_dir + " belongs to node " + identity.id +
                                               ", the configuration says " + wanted);
    }
  } else {
    identity.id = wanted.empty() ? (role == NodeRole::kGateway ? "g" : "t") + random_hex(4) : wanted;
    identity.identity = random_hex(16);
  }
  if (identity.attempt.empty()) identity.attempt = random_hex(16);
  CHECK_OK(save_identity(data_dir, identity));
  return identity;
}

Status save_identity(const std::string& data_dir, const NodeIdentity& identity) {
  return write_private_file(file_of(data_dir), wire::encode(identity));
}

std::string host_id() {
  const auto id = read_private_file("/etc/machine-id");
  if (id && id->size() >= 32) return id->substr(0, 32);
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string place_of(const std::string& data_dir) {
  struct stat st {};
  if (::stat(data_dir.c_str(), &st) != 0) return host_id() + ":" + data_dir;
  return host_id() + ":" + std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino);
}

}  // namespace aisfs::control
