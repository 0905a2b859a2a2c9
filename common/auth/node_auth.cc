// SPDX-License-Identifier: MIT
#include "common/auth/node_auth.h"

#include <cstdlib>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace aisfs::auth {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr std::size_t kHeaderBytesMax = 4096;

std::string_view letter_of(Identity::Kind kind) {
  switch (kind) {
    case Identity::Kind::kNode: return "n";
    case Identity::Kind::kUser: return "u";
    case Identity::Kind::kAdmin: return "a";
    case Identity::Kind::kAnonymous: break;
  }
  return "-";
}

std::optional<Identity::Kind> kind_of(std::string_view letter) {
  if (letter == "n") return Identity::Kind::kNode;
  if (letter == "u") return Identity::Kind::kUser;
  if (letter == "a") return Identity::Kind::kAdmin;
  if (letter == "-") return Identity::Kind::kAnonymous;
  return std::nullopt;
}

std::string signature_of(const ClusterKey& key, const http::RequestHead& head, std::string_view claim) {
  std::string text(http::to_string(head.method));
  text.append("\n").append(head.target).append("\n").append(claim);
  return to_hex(as_bytes(hmac_sha256(key.node(), text)));
}

Error refused(std::string_view why) {
  return Error(Errc::unauthenticated, "node request: " + std::string(why));
}

}  // namespace

void sign_node_request(const ClusterKey& key,
                       std::string_view node_id,
                       const Identity& principal,
                       std::int64_t now_ns,
                       http::RequestHead& head) {
  std::string claim(kVersion);
  claim.append(";").append(std::to_string(now_ns / 1'000'000));
  claim.append(";").append(percent_encode(node_id, Slash::kEncode));
  claim.append(";").append(letter_of(principal.kind()));
  claim.append(";").append(percent_encode(principal.user(), Slash::kEncode));
  claim.append(";").append(percent_encode(principal.display_name(), Slash::kEncode));
  const std::string signature = signature_of(key, head, claim);
  head.fields.set(kNodeAuthHeader, claim + ";" + signature);
}

Result<NodeClaim> verify_node_request(const ClusterKey& key,
                                      const http::RequestHead& head,
                                      std::int64_t now_ns) {
  if (head.fields.count(kNodeAuthHeader) != 1) return refused("one Ais-Node-Auth is required");
  const std::string_view value = head.fields.get(kNodeAuthHeader);
  const auto parts = split(value, ';');
  if (value.size() > kHeaderBytesMax || parts.size() != 7 || parts[0] != kVersion) {
    return refused("malformed");
  }
  const std::string_view claim = value.substr(0, value.size() - parts[6].size() - 1);
  if (!equal_constant_time(signature_of(key, head, claim), parts[6])) {
    return refused("the signature does not match: do both nodes have the same cluster.key?");
  }
  const auto time_ms = parse_i64(parts[1]);
  const auto kind = kind_of(parts[3]);
  auto node = percent_decode(parts[2]);
  auto user = percent_decode(parts[4]);
  auto display = percent_decode(parts[5]);
  if (!time_ms || !kind || !node.ok() || !user.ok() || !display.ok()) return refused("malformed");
  if (std::llabs(now_ns / 1'000'000 - *time_ms) > kNodeAuthAgeMaxNs / 1'000'000) {
    return refused("too old or from the future: are the clocks of the nodes in step?");
  }
  return NodeClaim{.node = std::move(*node), .kind = *kind, .user = std::move(*user),
                   .display_name = std::move(*display)};
}

}  // namespace aisfs::auth
