// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "common/model/cluster_map.h"

namespace aisfs::control {

/// Who this node is, kept in its data folder: file node.state, an envelope.
struct NodeIdentity {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::string id;
  std::string identity;       // random; proves that a node of this id is this one
  std::string cluster_uuid;   // "" before the first join
  std::uint32_t incarnation = 0;  // of the last start that a gateway has confirmed
  std::string attempt;        // of a start that was not yet confirmed

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(id, identity, cluster_uuid, incarnation, attempt);
  }
};

/// Reads it, or makes a new one ("t" or "g" and 8 hex digits) and writes it. Blocking. `wanted`
/// names the node at its first start; later it must agree or be empty.
Result<NodeIdentity> load_identity(const std::string& data_dir, NodeRole role, std::string wanted);
Status save_identity(const std::string& data_dir, const NodeIdentity& identity);

/// An id of this machine: /etc/machine-id, or the host's name.
std::string host_id();
/// Tells two data folders apart, also when one is a copy of the other.
std::string place_of(const std::string& data_dir);

}  // namespace aisfs::control
