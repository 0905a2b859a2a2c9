// SPDX-License-Identifier: MIT
#include "aisfs/cli/commands/commands.h"

namespace aisfs::cli {
namespace {

JsonObject user_json(const UserInfo& user) {
  JsonArray keys;
  for (const std::string& key : user.access_keys) keys.push_back(Json(key));
  JsonObject object{{"id", user.id},
                    {"display_name", user.display_name},
                    {"admin", user.admin},
                    {"access_keys", std::move(keys)}};
  if (!user.new_secret_key.empty()) {
    object["access_key"] = user.new_access_key;
    object["secret_key"] = user.new_secret_key;
  }
  return object;
}

Task<Status> create_user(Session& s, const CreateUser& wanted) {
  CO_TRY(const UserInfo user, co_await s.admin().create_user(s.context(), wanted));
  if (s.out.json()) {
    s.out.json_line(user_json(user));
    co_return Status{};
  }
  s.out.note("user \"" + user.id + "\" created; the secret key is shown only now");
  s.out.line("AWS_ACCESS_KEY_ID=" + user.new_access_key);
  s.out.line("AWS_SECRET_ACCESS_KEY=" + user.new_secret_key);
  co_return Status{};
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

Task<Status> list_users(Session& s) {
  CO_TRY(const std::vector<UserInfo> users, co_await s.admin().list_users(s.context()));
  JsonArray list;
  Table table({{"ID"}, {"NAME"}, {"ADMIN"}, {"ACCESS KEYS"}});
  for (const UserInfo& user : users) {
    list.push_back(user_json(user));
    table.add_row({user.id, user.display_name, user.admin ? "yes" : "no", join(user.access_keys)});
  }
  if (s.out.json())
    s.out.json_line(std::move(list));
  else
    s.out.table(table);
  co_return Status{};
}

Task<Status> remove_user(Session& s, const std::string& id) {
  CO_CHECK_OK(co_await s.admin().remove_user(s.context(), id));
  s.out.done("user \"" + id + "\" removed", {{"removed", id}});
  co_return Status{};
}

void add_create_user(Command& user) {
  auto wanted = std::make_shared<CreateUser>();
  Command& create = user.sub("create", "Make a user with a key pair");
  create.word("id", wanted->id, Names::kText, Command::Need::kRequired, "Short name, given once");
  create.option("--name", wanted->display_name, "TEXT", "Display name");
  create.flag("--admin", wanted->admin, "May do everything");
  create.option("--access-key", wanted->access_key, "KEY", "Instead of a generated one");
  create.option("--secret-key", wanted->secret_key, "KEY", "Instead of a generated one");
  create.examples("  ais user create alice --name 'Alice A.'");
  create.action([wanted](Session& s) { return create_user(s, *wanted); });
}

}  // namespace

void add_user(Command& root) {
  Command& user = root.sub("user", "Users and their keys (for administrators)");
  add_create_user(user);

  Command& list = user.sub("ls", "List users");
  list.action([](Session& s) { return list_users(s); });

  auto id = std::make_shared<std::string>();
  Command& remove = user.sub("rm", "Remove a user; the buckets stay");
  remove.word("id", *id, Names::kText, Command::Need::kRequired, "The user's id");
  remove.action([id](Session& s) { return remove_user(s, *id); });
}

}  // namespace aisfs::cli
