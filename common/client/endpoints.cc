// SPDX-License-Identifier: MIT
#include "common/client/endpoints.h"

#include "common/base/text.h"

namespace aisfs {

Result<GivenEndpoints> GivenEndpoints::parse(std::string_view list) {
  constexpr std::string_view kSecure = "https://";
  GivenEndpoints given;
  for (std::string_view text : split(list, ',')) {
    const bool tls = text.starts_with(kSecure);
    if (tls) text.remove_prefix(kSecure.size());
    if (!given.nodes.empty() && tls != given.tls) {
      return Error(Errc::invalid_argument, "http and https do not mix: " + std::string(list));
    }
    given.tls = tls;
    TRY(Endpoint endpoint, Endpoint::parse(text));
    given.nodes.push_back(std::move(endpoint));
  }
  return given;
}

}  // namespace aisfs
