// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/bucket_view.h"

#include <array>

#include "aisfs/cli/units.h"
#include "common/base/text.h"

namespace aisfs::cli {
namespace {

/// A property as text, both ways.
struct Property {
  std::string_view name;
  std::string_view values;  // for the error text
  std::string (*get)(const BucketProps&);
  Status (*set)(BucketProps&, std::string_view);
};

Status set_copies(BucketProps& props, std::string_view text) {
  const auto copies = parse_u64(text);
  if (!copies || *copies < 1 || *copies > 16) return Error(Errc::invalid_argument);
  props.copies = static_cast<std::uint32_t>(*copies);
  return {};
}

Status set_disk_copies(BucketProps& props, std::string_view text) {
  const auto copies = parse_u64(text);
  if (!copies || *copies < 1 || *copies > 8) return Error(Errc::invalid_argument);
  props.disk_copies = static_cast<std::uint32_t>(*copies);
  return {};
}

Status set_least_bytes(BucketProps& props, std::string_view text) {
  const auto bytes = parse_u64(text);
  if (!bytes || *bytes < 64_KiB) return Error(Errc::invalid_argument);
  props.erasure.least_bytes = *bytes;
  return {};
}

Status set_ec_mode(BucketProps& props, std::string_view text) {
  if (text != "sync" && text != "background") return Error(Errc::invalid_argument);
  props.erasure.later = text == "background";
  return {};
}

constexpr std::array<Property, 9> kProperties = {{
    {"copies", "1 to 16", [](const BucketProps& p) { return std::to_string(p.copies); },
     set_copies},
    {"disk_copies", "1 to 8", [](const BucketProps& p) { return std::to_string(p.disk_copies); },
     set_disk_copies},
    {"write_level", "none, data or full",
     [](const BucketProps& p) { return std::string(to_string(p.write_level)); },
     [](BucketProps& p, std::string_view text) -> Status {
       TRY(p.write_level, parse_durability(text));
       return {};
     }},
    {"close_level", "none, data or full",
     [](const BucketProps& p) { return std::string(to_string(p.close_level)); },
     [](BucketProps& p, std::string_view text) -> Status {
       TRY(p.close_level, parse_durability(text));
       return {};
     }},
    {"verify_read", "first, always or never",
     [](const BucketProps& p) { return std::string(to_string(p.verify_read)); },
     [](BucketProps& p, std::string_view text) -> Status {
       TRY(p.verify_read, parse_verify_read(text));
       return {};
     }},
    {"versioning", "off, enabled or suspended",
     [](const BucketProps& p) { return std::string(to_string(p.versioning)); },
     [](BucketProps& p, std::string_view text) -> Status {
       TRY(p.versioning, parse_versioning(text));
       return {};
     }},
    {"ec", "data+parity (4+2), 1 to 16 each, or off",
     [](const BucketProps& p) { return to_string(p.erasure); },
     [](BucketProps& p, std::string_view text) { return parse_geometry(text, p.erasure); }},
    {"ec.min_size", "a number of bytes, 65536 or more",
     [](const BucketProps& p) { return std::to_string(p.erasure.least_bytes); }, set_least_bytes},
    {"ec.mode", "sync or background",
     [](const BucketProps& p) { return std::string(p.erasure.later ? "background" : "sync"); },
     set_ec_mode},
}};

}  // namespace

JsonObject bucket_json(const Bucket& bucket) {
  JsonObject props;
  for (const Property& property : kProperties) props[property.name] = property.get(bucket.props);
  props["copies"] = bucket.props.copies;
  props["disk_copies"] = bucket.props.disk_copies;
  return {{"name", bucket.name.display()},
          {"id", to_hex(bucket.id.value)},
          {"owner", bucket.owner},
          {"created", iso_time(bucket.created_ns)},
          {"props", std::move(props)}};
}

void print_bucket(Output& out, const Bucket& bucket) {
  Table table({{"PROPERTY"}, {"VALUE"}});
  table.add_row({"name", bucket.name.display()});
  table.add_row({"owner", bucket.owner});
  table.add_row({"created", local_time(bucket.created_ns)});
  for (const Property& property : kProperties) {
    table.add_row({std::string(property.name), property.get(bucket.props)});
  }
  out.table(table);
}

Status set_property(BucketProps& props, std::string_view assignment) {
  const auto equals = assignment.find('=');
  const std::string_view name = assignment.substr(0, equals);
  std::string known;
  for (const Property& property : kProperties) {
    known.append(known.empty() ? "" : ", ").append(property.name);
    if (property.name != name || equals == assignment.npos) continue;
    if (property.set(props, assignment.substr(equals + 1))) return {};
    return Error(Errc::invalid_argument,
                 std::string(name) + " must be " + std::string(property.values));
  }
  return Error(Errc::invalid_argument, "\"" + std::string(assignment) +
                                           "\" sets no property; write NAME=VALUE with one of " +
                                           known);
}

std::vector<std::string> property_names() {
  std::vector<std::string> names;
  for (const Property& property : kProperties) names.emplace_back(property.name);
  return names;
}

}  // namespace aisfs::cli
