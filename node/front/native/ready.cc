// SPDX-License-Identifier: MIT
#include "node/front/native/ready.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/http/head_writer.h"
#include "node/front/native/reply.h"

namespace aisfs::native {
namespace {

// Beside credentials: what no step of a GET looks at. A field that is not named here, also one that
// is invented later, makes the request one for the handler.
constexpr std::string_view kMeaningless[] = {"Host",   "User-Agent", "Accept", "Accept-Encoding",
                                             "Accept-Language", "Connection"};

bool is_meaningless(std::string_view field) {
  return std::any_of(std::begin(kMeaningless), std::end(kMeaningless), [&](std::string_view name) {
    return name.size() == field.size() && iequals(name, field);
  });
}

/// A path to an object and credentials, and nothing else.
bool is_plain(const http::RequestHead& head, const http::Target& target) {
  if (!target.path.starts_with("/v1/objects/")) return false;
  if (head.target.find_first_of("?&") != std::string::npos) return false;  // a query or a ticket
  return std::all_of(head.fields.begin(), head.fields.end(), [](const http::Fields::Field& field) {
    return iequals(field.name, "Authorization") || is_meaningless(field.name);
  });
}

const std::string& fields_of(const HotObject& object) {
  if (const std::string* known = object.native_fields.get()) return *known;
  http::Fields fields;
  add_object(fields, object.info);
  return object.native_fields.keep(std::make_unique<std::string>(http::text_of_fields(fields)));
}

std::optional<http::ReadyAnswer> answer_now(const NativeFrontDeps& deps,
                                            const http::RequestHead& head,
                                            const http::Target& target) {
  if (!is_plain(head, target)) return std::nullopt;
  auto verified = deps.verifier.verify(head, target, auth::Front::kPublic);
  if (!verified || verified->body.kind != auth::BodyAuth::Kind::kPlain) return std::nullopt;
  Context context;
  context.who = std::move(verified->who);
  PathTail tail = tail_of(target, "objects");
  if (!validate_key(tail.rest)) return std::nullopt;
  const ObjectName name{native_bucket(std::move(tail.first)), std::move(tail.rest)};
  auto hot = deps.objects.hot(context, name);
  if (!hot) return std::nullopt;
  const HotObject& object = *hot->object;
  return http::ReadyAnswer{.fields = fields_of(object),
                           .body = object.content,
                           .owner = std::move(hot->object),
                           .source = std::move(hot->body)};
}

}  // namespace

http::ReadyHandler make_native_ready_handler(NativeFrontDeps deps) {
  return [deps = std::move(deps)](const http::RequestHead& head, const http::Target& target) {
    return answer_now(deps, head, target);
  };
}

}  // namespace aisfs::native
