// SPDX-License-Identifier: MIT
#include "node/front/native/bprops.h"

#include "common/base/text.h"
#include "node/front/native/call.h"

namespace aisfs::native {
namespace json = boost::json;
namespace {

// AIStore marks ids of its own buckets by the highest bit.
constexpr std::uint64_t kAisBucketBit = std::uint64_t{1} << 63;

/// The value at "a.b" of the tree; null when there is none.
const json::value* at_path(const json::value& tree, std::string_view path) {
  const json::value* node = &tree;
  for (const std::string_view name : split(path, '.')) {
    node = member(*node, name);
    if (node == nullptr) return nullptr;
  }
  return node->is_null() ? nullptr : node;
}

Result<bool> to_bool(const json::value& value, std::string_view path) {
  if (value.is_bool()) return value.get_bool();
  return Error(Errc::invalid_argument, std::string(path) + " must be true or false");
}

Result<std::uint64_t> to_number(const json::value& value, std::string_view path) {
  if (value.is_int64() && value.get_int64() >= 0) return value.get_int64();
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_string()) {
    const std::string_view text(value.get_string().data(), value.get_string().size());
    if (const auto number = parse_u64(text)) return *number;
  }
  return Error(Errc::invalid_argument, std::string(path) + " must be a number");
}

std::string to_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string().c_str()) : std::string();
}

Status refuse_unsupported(const json::value& change) {
  const auto* backend = at_path(change, "backend_bck.name");
  if (backend != nullptr && !to_text(*backend).empty()) {
    return Error(Errc::unsupported, "buckets in front of others are not supported yet");
  }
  return {};
}

Status apply_mirror(BucketProps& props, const json::value& change) {
  if (const auto* copies = at_path(change, "mirror.copies")) {
    TRY(const std::uint64_t count, to_number(*copies, "mirror.copies"));
    if (count < 1 || count > 16) {
      return Error(Errc::invalid_argument, "mirror.copies must be 1 to 16");
    }
    props.copies = static_cast<std::uint32_t>(count);
  }
  if (const auto* on = at_path(change, "mirror.enabled")) {
    TRY(const bool enabled, to_bool(*on, "mirror.enabled"));
    if (!enabled) props.copies = 1;
    if (enabled && props.copies < 2) props.copies = 2;
  }
  return {};
}

/// What is left out when it is turned on is as in AIStore: 2+2.
Status apply_erasure(BucketProps& props, const json::value& change) {
  ErasureProps& erasure = props.erasure;
  const struct {
    const char* path;
    std::uint8_t& slices;
  } counts[] = {{"ec.data_slices", erasure.data}, {"ec.parity_slices", erasure.parity}};
  const ErasureProps before = erasure;
  for (const auto& count : counts) {
    const auto* given = at_path(change, count.path);
    if (given == nullptr) continue;
    TRY(const std::uint64_t slices, to_number(*given, count.path));
    if (slices < 1 || slices > ErasureProps::kMost) {
      return Error(Errc::invalid_argument, std::string(count.path) + " must be 1 to 16");
    }
    count.slices = static_cast<std::uint8_t>(slices);
  }
  if (const auto* limit = at_path(change, "ec.objsize_limit")) {
    TRY(erasure.least_bytes, to_number(*limit, "ec.objsize_limit"));
  }
  bool enabled = before.enabled();
  if (const auto* on = at_path(change, "ec.enabled")) {
    TRY(enabled, to_bool(*on, "ec.enabled"));
  }
  for (const auto& count : counts) {
    if (!enabled) count.slices = 0;
    if (enabled && count.slices == 0) count.slices = 2;
  }
  return {};
}

Status apply_own(BucketProps& props, const json::value& change) {
  if (const auto* level = at_path(change, "extra.aisfs.write_level")) {
    TRY(props.write_level, parse_durability(to_text(*level)));
  }
  if (const auto* level = at_path(change, "extra.aisfs.close_level")) {
    TRY(props.close_level, parse_durability(to_text(*level)));
  }
  if (const auto* mode = at_path(change, "extra.aisfs.verify_read")) {
    TRY(props.verify_read, parse_verify_read(to_text(*mode)));
  }
  if (const auto* copies = at_path(change, "extra.aisfs.disk_copies")) {
    TRY(const std::uint64_t count, to_number(*copies, "extra.aisfs.disk_copies"));
    if (count < 1 || count > 8) {
      return Error(Errc::invalid_argument, "extra.aisfs.disk_copies must be 1 to 8");
    }
    props.disk_copies = static_cast<std::uint32_t>(count);
  }
  return {};
}

}  // namespace

json::object bprops_json(const Bucket& bucket) {
  const BucketProps& p = bucket.props;
  json::object own{{"owner", bucket.owner},
                   {"write_level", to_string(p.write_level)},
                   {"close_level", to_string(p.close_level)},
                   {"verify_read", to_string(p.verify_read)},
                   {"disk_copies", p.disk_copies}};
  return {
      {"provider", bucket.name.provider},
      {"backend_bck", {{"name", ""}, {"provider", ""}}},
      {"write_policy", {{"data", ""}, {"md", ""}}},
      {"checksum",
       {{"type", "xxhash2"},
        {"validate_cold_get", false},
        {"validate_warm_get", p.verify_read == VerifyRead::kAlways},
        {"validate_obj_move", false},
        {"enable_read_range", false}}},
      {"versioning",
       {{"enabled", p.versioning == Versioning::kEnabled},
        {"validate_warm_get", false},
        {"synchronize", false}}},
      {"mirror", {{"copies", p.copies}, {"burst_buffer", 512}, {"enabled", p.copies > 1}}},
      {"ec",
       {{"objsize_limit", p.erasure.least_bytes},
        {"data_slices", p.erasure.enabled() ? p.erasure.data : 2},
        {"parity_slices", p.erasure.enabled() ? p.erasure.parity : 2},
        {"enabled", p.erasure.enabled()},
        {"disk_only", false},
        {"compression", "never"},
        {"bundle_multiplier", 2}}},
      {"lru", {{"dont_evict_time", "2h"}, {"capacity_upd_time", "10m"}, {"enabled", false}}},
      {"access", std::to_string(p.access)},
      {"features", "0"},
      {"extra", {{"aws", json::object()}, {"aisfs", std::move(own)}}},
      {"bid", std::to_string(bucket.id.value | kAisBucketBit)},
      {"created", std::to_string(bucket.created_ns)},
  };
}

Result<BucketProps> apply_bprops(BucketProps props, const json::value& change) {
  if (change.is_null()) return props;
  CHECK_OK(refuse_unsupported(change));
  CHECK_OK(apply_mirror(props, change));
  CHECK_OK(apply_erasure(props, change));
  CHECK_OK(apply_own(props, change));
  if (const auto* on = at_path(change, "versioning.enabled")) {
    TRY(const bool enabled, to_bool(*on, "versioning.enabled"));
    props.versioning = enabled ? Versioning::kEnabled : Versioning::kOff;
  }
  if (const auto* on = at_path(change, "checksum.validate_warm_get")) {
    TRY(const bool always, to_bool(*on, "checksum.validate_warm_get"));
    props.verify_read = always ? VerifyRead::kAlways : VerifyRead::kFirst;
  }
  if (const auto* bits = at_path(change, "access")) {
    TRY(props.access, to_number(*bits, "access"));
  }
  return props;
}

}  // namespace aisfs::native
