// SPDX-License-Identifier: MIT
// POST of an HTML form: an upload that carries its own credentials, a signed policy that says what
// may be uploaded. The file is the last field and streams through.
#include <boost/json.hpp>

#include "common/base/text.h"
#include "common/s3/date.h"
#include "common/s3/form.h"
#include "common/s3/xml_writer.h"
#include "node/front/s3/acl.h"
#include "node/front/s3/headers.h"
#include "node/front/s3/versioning.h"

namespace aisfs::front::s3 {
namespace {

namespace json = boost::json;
using aisfs::s3::FormReader;

constexpr std::size_t kFieldBytesMax = 20 << 10;
constexpr std::size_t kFieldsMax = 100;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{5} << 30;

/// The fields before the file, names in lower case; "filename" of the file goes into the key.
using Form = std::map<std::string, std::string>;

struct Limits {
  std::uint64_t least = 0, most = kFileBytesMax;
};

std::string_view get(const Form& form, std::string_view name) {
  const auto it = form.find(std::string(name));
  return it == form.end() ? std::string_view() : std::string_view(it->second);
}

Error malformed(const Error& error) { return fail("MalformedPOSTRequest", error.what()); }

/// Reads up to the head of the file.
Task<Result<Form>> read_fields(FormReader& reader) {
  Form form;
  for (;;) {
    auto part = co_await reader.next();
    if (!part) co_return malformed(part.error());
    if (!*part) co_return fail("InvalidArgument", "POST requires a file");
    if ((*part)->name == "file") {
      std::string& key = form["key"];
      constexpr std::string_view kPlaceholder = "${filename}";
      if (const auto at = key.find(kPlaceholder); at != key.npos) {
        key.replace(at, kPlaceholder.size(), (*part)->filename.value_or(""));
      }
      if (!form.contains("content-type")) form["content-type"] = (*part)->content_type;
      co_return form;
    }
    if (form.size() == kFieldsMax) co_return fail("MalformedPOSTRequest", "too many fields");
    auto value = co_await read_all(reader.body(), kFieldBytesMax);
    if (!value) co_return malformed(value.error());
    if (!form.emplace(to_lower((*part)->name), *std::move(value)).second) {
      co_return fail("InvalidArgument", "a field is there twice: " + (*part)->name);
    }
  }
}

/// What the policy need not speak of.
bool is_free(std::string_view field) {
  return field == "x-amz-signature" || field == "signature" || field == "awsaccesskeyid" ||
         field == "policy" || field == "file" || field == "x-amz-algorithm" ||
         field == "x-amz-credential" || field == "x-amz-date" || field == "content-type" ||
         field.starts_with("x-ignore-");
}

Error refused(std::string_view field) {
  return fail("AccessDenied", "Invalid according to Policy: " + std::string(field));
}

std::string field_of(const json::value& name) {
  if (!name.is_string()) return {};
  std::string_view text = name.get_string();
  return text.starts_with('$') ? to_lower(text.substr(1)) : std::string();
}

/// ["eq", "$key", "value"], ["starts-with", "$key", "prefix"], ["content-length-range", 1, 2].
Result<std::string> check_list(const Form& form, const json::array& condition, Limits& limits) {
  if (condition.size() != 3 || !condition[0].is_string()) return fail("InvalidPolicyDocument");
  const std::string kind = to_lower(condition[0].get_string());
  if (kind == "content-length-range") {
    boost::system::error_code none;
    const auto least = condition[1].to_number<std::uint64_t>(none);
    if (none.failed()) return fail("InvalidPolicyDocument");
    const auto most = condition[2].to_number<std::uint64_t>(none);
    if (none.failed()) return fail("InvalidPolicyDocument");
    limits.least = std::max(limits.least, least);
    limits.most = std::min(limits.most, most);
    return std::string();
  }
  const std::string field = field_of(condition[1]);
  if (field.empty() || !condition[2].is_string()) return fail("InvalidPolicyDocument");
  const std::string_view wanted = condition[2].get_string();
  const std::string_view value = get(form, field);
  if (kind == "eq" ? value == wanted : kind == "starts-with" && value.starts_with(wanted)) {
    return field;
  }
  if (kind != "eq" && kind != "starts-with") return fail("InvalidPolicyDocument");
  return refused(field);
}

Status check_conditions(const Form& form, const json::array& conditions, Limits& limits) {
  std::vector<std::string> spoken_of;
  for (const json::value& condition : conditions) {
    if (condition.is_array()) {
      TRY(std::string field, check_list(form, condition.get_array(), limits));
      spoken_of.push_back(std::move(field));
      continue;
    }
    if (!condition.is_object() || condition.get_object().empty()) {
      return fail("InvalidPolicyDocument");
    }
    for (const auto& [name, wanted] : condition.get_object()) {
      if (!wanted.is_string()) return fail("InvalidPolicyDocument");
      const std::string field = to_lower(name);
      if (get(form, field) != std::string_view(wanted.get_string())) return refused(field);
      spoken_of.push_back(field);
    }
  }
  for (const auto& [field, value] : form) {
    const bool covered = std::find(spoken_of.begin(), spoken_of.end(), field) != spoken_of.end();
    if (!covered && !is_free(field) && field != "bucket") {
      return fail("AccessDenied", "Extra input fields: " + field);
    }
  }
  return {};
}

/// The policy is signed by whoever it is; now it must allow this form at this time.
Result<Limits> check_policy(const Form& form, std::int64_t now_ns) {
  const auto text = from_base64(get(form, "policy"));
  boost::system::error_code bad;
  const json::value policy = text ? json::parse(*text, bad) : json::value();
  if (!text || bad.failed() || !policy.is_object()) return fail("InvalidPolicyDocument");
  const json::object& object = policy.get_object();
  const json::value* expiration = object.if_contains("expiration");
  const json::value* conditions = object.if_contains("conditions");
  if (expiration == nullptr || !expiration->is_string() || conditions == nullptr ||
      !conditions->is_array()) {
    return fail("InvalidPolicyDocument");
  }
  const auto until = aisfs::s3::parse_iso_date(expiration->get_string());
  if (!until) return fail("InvalidPolicyDocument");
  if (now_ns > *until) return fail("AccessDenied", "Invalid according to Policy: Policy expired.");
  Limits limits;
  CHECK_OK(check_conditions(form, conditions->get_array(), limits));
  return limits;
}

/// Without a policy the form comes from nobody.
Task<Result<Limits>> admit(Request& r, const Form& form) {
  Limits limits;
  if (form.contains("policy")) {
    const auth::Verifier::FormClaim claim{
        .policy = std::string(get(form, "policy")),
        .signature = std::string(form.contains("x-amz-signature") ? get(form, "x-amz-signature")
                                                                  : get(form, "signature")),
        .credential = std::string(get(form, "x-amz-credential")),
        .date = std::string(get(form, "x-amz-date")),
        .access_key = std::string(get(form, "awsaccesskeyid"))};
    auth::Refusal why = auth::Refusal::kNone;
    auto who = r.deps.verifier.verify_form(claim, &why);
    if (!who) {
      const auto error = s3_error_of(why, who.error());
      co_return fail(error.code, error.message);
    }
    r.sender = *std::move(who);
    CO_TRY(limits, check_policy(form, r.deps.verifier.now_ns()));
  }
  const Needed needed{aisfs::s3::Permission::kWrite, false};
  CO_TRY(Entry entry, co_await enter(r, r.object(), needed));
  r.found = std::move(entry.bucket);
  r.verified.who = std::move(entry.who);
  co_return limits;
}

/// The file, no longer and no shorter than the policy says.
class LimitedFile final : public BodySource {
 public:
  LimitedFile(BodySource& inner, Limits limits) : inner_(inner), limits_(limits) {}

  Task<Result<std::size_t>> read(MutableBytes into) override {
    auto got = co_await inner_.read(into);
    if (!got) co_return malformed(got.error());
    seen_ += *got;
    if (seen_ > limits_.most) co_return fail("EntityTooLarge");
    if (*got == 0 && seen_ < limits_.least) co_return fail("EntityTooSmall");
    co_return *got;
  }

 private:
  BodySource& inner_;
  const Limits limits_;
  std::uint64_t seen_ = 0;
};

/// The fields that a PUT would have as headers.
http::Fields headers_of(const Form& form) {
  http::Fields fields;
  for (const auto& [name, value] : form) {
    if (name == "acl") fields.set("x-amz-acl", value);
    const bool header = name.starts_with("x-amz-meta-") || name.starts_with("x-amz-grant-") ||
                        name == "x-amz-acl" || name == "cache-control" || name == "content-type" ||
                        name == "content-disposition" || name == "content-encoding" ||
                        name == "expires";
    if (header) fields.set(name, value);
  }
  return fields;
}

std::string location_of(const Request& r) {
  return std::string(r.exchange.scheme()) + std::string(r.field("host")) + "/" + r.bucket + "/" +
         percent_encode(r.key, Slash::kKeep);
}

Reply success(const Request& r, const Form& form, const ObjectInfo& info) {
  const std::string etag = quoted(info.etag);
  const std::string redirect(
      get(form, form.contains("success_action_redirect") ? "success_action_redirect" : "redirect"));
  if (redirect.starts_with("http://") || redirect.starts_with("https://")) {
    Reply reply = empty_reply(303);
    const char* separator = redirect.find('?') == redirect.npos ? "?" : "&";
    reply.head.fields.set("Location", redirect + separator + "bucket=" + r.bucket +
                                          "&key=" + percent_encode(r.key, Slash::kEncode) +
                                          "&etag=" + percent_encode(etag, Slash::kEncode));
    return reply;
  }
  const std::string_view status = get(form, "success_action_status");
  Reply reply = empty_reply(status == "200" ? 200 : 204);
  if (status == "201") {
    aisfs::s3::XmlWriter xml("PostResponse");
    xml.leaf("Location", location_of(r)).leaf("Bucket", r.bucket).leaf("Key", r.key);
    xml.leaf("ETag", etag);
    reply = xml_reply(std::move(xml).finish());
    reply.head.status = 201;
  }
  reply.head.fields.set("ETag", etag);
  reply.head.fields.set("Location", location_of(r));
  return reply;
}

}  // namespace

Answer post_object(Request& r) {
  const auto boundary = aisfs::s3::form_boundary(r.field("content-type"));
  if (!boundary)
    co_return fail("InvalidRequest", "a POST to a bucket is a multipart/form-data form");
  FormReader reader(r.exchange.body(), *boundary);
  CO_TRY(Form form, co_await read_fields(reader));
  form["bucket"] = r.bucket;
  CO_TRY(const Limits limits, co_await admit(r, form));
  r.key = get(form, "key");
  if (r.key.empty()) co_return fail("InvalidArgument", "the form has no key");
  if (auto valid = validate_key(r.key); !valid) co_return std::move(valid).error();
  CO_TRY(PutOptions options, put_options_of(r, headers_of(form)));
  LimitedFile file(reader.body(), limits);
  ExpectedChecksums unknown;
  CO_TRY(const ObjectInfo info,
         co_await r.deps.objects.put(r.bulk_context(), r.object(), std::move(options),
                                     std::move(unknown), file));
  Reply reply = success(r, form, info);
  add_new_version(info, reply.head.fields);
  co_return reply;
}

}  // namespace aisfs::front::s3
