// SPDX-License-Identifier: MIT
#include "common/auth/seal.h"
#include "node/control/ops/ops.h"
#include "node/control/ops/rights.h"

namespace aisfs::control::ops {
namespace {

Status check_id(const std::string& id) {
  constexpr std::size_t kIdBytesMax = 128;
  if (id.empty() || id.size() > kIdBytesMax || id.find('/') != id.npos) {
    return Error(Errc::invalid_argument, "a user id has 1 to 128 characters and no '/'");
  }
  return {};
}

Status check_free(const ClusterMap& map, const CreateUser& user, const std::string& access_key) {
  if (map.users.contains(user.id)) {
    return Error(Errc::already_exists, "user \"" + user.id + "\" already exists");
  }
  for (const auto& [id, other] : map.users) {
    if (other.keys.contains(access_key)) {
      return Error(Errc::already_exists, "the access key is taken");
    }
  }
  return {};
}

}  // namespace

Task<Result<UserInfo>> create_user(ControlPlane& plane, auth::Identity who, CreateUser user) {
  CO_CHECK_OK(need_admin(who));
  CO_CHECK_OK(check_id(user.id));
  if (user.access_key.empty() != user.secret_key.empty()) {
    co_return Error(Errc::invalid_argument, "give both keys or none");
  }
  auto keys = auth::generate_keys();
  if (!user.access_key.empty()) keys = {user.access_key, user.secret_key};
  CO_CHECK_OK(auth::validate_keys(keys));
  const std::string sealed = auth::seal(plane.key().seal(), keys.secret_key, keys.access_key);
  const std::string access = keys.access_key;
  const MapStore::Edit edit = [=](MapDraft& draft) -> Status {
    CHECK_OK(check_free(draft.map, user, access));
    User added{.id = user.id, .display_name = user.display_name, .admin = user.admin};
    if (added.display_name.empty()) added.display_name = user.id;
    added.keys[access] = sealed;
    draft.map.users[user.id] = std::move(added);
    return {};
  };
  CO_TRY(const auto draft, co_await plane.change(edit));
  const User& made = draft.map.users.at(user.id);
  co_return UserInfo{made.id, made.display_name, made.admin, {access}, access, keys.secret_key};
}

}  // namespace aisfs::control::ops
