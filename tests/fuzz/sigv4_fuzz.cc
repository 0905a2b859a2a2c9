// SPDX-License-Identifier: MIT
// A request head of a stranger: target, a line feed, then header lines. Nothing that was not
// signed with the key may verify.
#include <cstdint>
#include <string_view>

#include "common/base/assert.h"
#include "common/base/text.h"
#include "common/s3/sigv4.h"

namespace aisfs::s3 {
namespace {

http::RequestHead head_of(std::string_view input) {
  http::RequestHead head;
  const auto lines = split(input, '\n');
  head.target = lines[0];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    head.fields.add(lines[i].substr(0, colon), trim(lines[i].substr(colon + 1)));
  }
  return head;
}

void try_to_verify(std::string_view input) {
  const auto head = head_of(input);
  const auto target = http::Target::parse(head.target);
  if (!target.ok()) return;
  static_cast<void>(carries_signature(head, *target));
  for (const auto place : {Claim::Place::kHeader, Claim::Place::kQuery}) {
    const auto claim = parse_claim(head, *target, place);
    if (!claim.ok()) continue;
    AISFS_ASSERT(claim->signature.size() == 64 && !claim->access_key.empty());
    static_cast<void>(check_signed_headers(*claim, head).ok());
    static_cast<void>(check_time(*claim, 1'700'000'000'000'000'000, 900'000'000'000).ok());
    AISFS_ASSERT(!signature_matches(*claim, head, *target, signing_key("unknown", claim->scope)));
  }
}

}  // namespace
}  // namespace aisfs::s3

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  aisfs::s3::try_to_verify({reinterpret_cast<const char*>(data), size});
  return 0;
}
