// SPDX-License-Identifier: MIT
#include "node/front/native/redirect.h"

#include "common/async/clock.h"
#include "common/auth/node_auth.h"
#include "common/base/text.h"

namespace aisfs::native {
namespace {

constexpr std::string_view kTicket = "&ticket=";

std::string redirected_target(const Call& call) {
  const std::string& target = call.exchange.request().target;
  const char* const join = target.find('?') == target.npos ? "?" : "&";
  return target + join + "pid=" + percent_encode(call.node_id, Slash::kEncode) +
         "&utm=" + std::to_string(RealClock().unix_ns());
}

std::string ticket_for(const Call& call, const std::string& target) {
  http::RequestHead head;
  head.method = call.method();
  head.target = target;
  auth::sign_node_request(*call.key, call.node_id, call.context.who, RealClock().unix_ns(), head);
  return percent_encode(head.fields.get(auth::kNodeAuthHeader), Slash::kEncode);
}

bool has_body(const http::Exchange& exchange) {
  const auto length = exchange.content_length();
  return !length || *length > 0;
}

}  // namespace

Task<void> reply_redirect(const Call& call, NodeInfo owner) {
  std::string target = redirected_target(call);
  if (call.key != nullptr && !call.context.who.is_anonymous()) {
    target += std::string(kTicket) + ticket_for(call, target);
  }
  http::ResponseHead head;
  head.status = call.method() == http::Method::kGet ? 301 : 307;
  head.fields.set("Location",
                  std::string(call.exchange.scheme()) + owner.public_net.to_string() + target);
  head.fields.set("Cache-Control", "no-store");
  if (has_body(call.exchange)) head.fields.set("Connection", "close");
  (void)co_await call.exchange.respond(std::move(head), std::string());
}

std::optional<http::RequestHead> head_of_ticket(const http::RequestHead& head) {
  const auto at = head.target.rfind(kTicket);
  if (at == head.target.npos) return std::nullopt;
  auto value = percent_decode(std::string_view(head.target).substr(at + kTicket.size()));
  if (!value) return std::nullopt;
  http::RequestHead before;
  before.method = head.method;
  before.target = head.target.substr(0, at);
  before.fields.set(auth::kNodeAuthHeader, *value);
  return before;
}

}  // namespace aisfs::native
