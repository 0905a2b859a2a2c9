// SPDX-License-Identifier: MIT
#include "node/store/lost_names.h"

#include <algorithm>
#include <cereal/types/utility.hpp>
#include <iterator>

#include "common/disk/atomic_file.h"
#include "common/disk/posix.h"
#include "common/wire/envelope.h"

namespace aisfs::store {
namespace {

constexpr const char* kFile = "%lost";

struct LostTable {
  static constexpr std::uint16_t kVersion = 1, kCompat = 1;
  std::vector<std::pair<std::uint64_t, std::string>> names;  // bucket, key

  template <class A>
  void fields(A& ar, std::uint16_t) {
    ar(names);
  }
};

}  // namespace

Status LostNames::load(int root) {
  root_ = root;
  const auto bytes = disk::read_file(root, kFile, 256_MiB);
  if (!bytes && bytes.error() == Errc::not_found) return {};
  CHECK_OK(bytes);
  TRY(LostTable table, wire::decode<LostTable>(*bytes));
  const std::unique_lock lock(mutex_);
  for (auto& [bucket, key] : table.names) names_.emplace(BucketId{bucket}, std::move(key));
  count_ = names_.size();
  return {};
}

Status LostNames::save(const std::set<Name>& names) const {
  LostTable table;
  for (const auto& [bucket, key] : names) table.names.emplace_back(bucket.value, key);
  return disk::write_file_atomically(root_, kFile, wire::encode(table));
}

Status LostNames::add(const std::vector<Name>& names) {
  const std::unique_lock lock(mutex_);
  std::set<Name> all = names_;
  all.insert(names.begin(), names.end());
  if (all.size() > kNamesMax) {
    return Error(Errc::corrupt, std::to_string(all.size()) + " of its files cannot be read");
  }
  CHECK_OK(save(all));
  names_ = std::move(all);
  count_ = names_.size();
  return {};
}

Status LostNames::drop(const std::function<bool(const Name&)>& is_known) {
  if (empty()) return {};
  const std::unique_lock lock(mutex_);
  std::set<Name> left;
  std::copy_if(names_.begin(), names_.end(), std::inserter(left, left.end()),
               [&](const Name& name) { return !is_known(name); });
  if (left.size() == names_.size()) return {};
  CHECK_OK(save(left));
  names_ = std::move(left);
  count_ = names_.size();
  return {};
}

bool LostNames::contains(BucketId bucket, const std::string& key) const {
  if (empty()) return false;
  const std::shared_lock lock(mutex_);
  return names_.contains({bucket, key});
}

bool LostNames::any_of(BucketId bucket) const {
  if (empty()) return false;
  const std::shared_lock lock(mutex_);
  const auto first = names_.lower_bound({bucket, ""});
  return first != names_.end() && first->first == bucket;
}

std::vector<Name> LostNames::all() const {
  const std::shared_lock lock(mutex_);
  return {names_.begin(), names_.end()};
}

}  // namespace aisfs::store
