// SPDX-License-Identifier: MIT
#include "node/store/name_tree.h"

namespace aisfs::store {
namespace {

constexpr std::size_t kNodeBytes = 9;
constexpr std::size_t kLinkBytes = kNodeBytes + NameTree::kStepBytes + 1;

std::string node_of(char kind, std::uint64_t id) {
  std::string node(1, kind);
  for (int shift = 56; shift >= 0; shift -= 8) node += static_cast<char>(id >> shift & 0xff);
  return node;
}
std::string root_of_bucket(BucketId bucket) { return node_of('B', bucket.value); }
/// The value of a link is its child's node without the kind.
std::string child_of(std::string_view link_value) { return "N" + std::string(link_value); }

std::string link_key(const std::string& node, std::string_view rest) {
  std::string key = node;
  key += rest.substr(0, NameTree::kStepBytes);
  key += '\0';
  return key;
}

/// The LMDB key of the entry; nullopt when a link on the way is missing. `links` gets the way.
template <class Txn>
Result<std::optional<std::string>> find(lmdb::Table table,
                                        const Txn& txn,
                                        BucketId bucket,
                                        std::string_view key,
                                        std::vector<std::string>* links = nullptr) {
  std::string node = root_of_bucket(bucket);
  while (key.size() > NameTree::kStepBytes) {
    const std::string link = link_key(node, key);
    TRY(const auto child, table.get(txn, link));
    if (!child) return std::optional<std::string>();
    node = child_of(*child);
    if (links != nullptr) links->push_back(link);
    key.remove_prefix(NameTree::kStepBytes);
  }
  node += key;
  return std::optional(std::move(node));
}

template <class Txn>
Result<std::optional<std::string_view>> get_in(lmdb::Table table,
                                               const Txn& txn,
                                               BucketId bucket,
                                               std::string_view key) {
  TRY(const auto at, find(table, txn, bucket, key));
  if (!at) return std::optional<std::string_view>();
  return table.get(txn, *at);
}

/// Removes everything in `node`; the nodes that it linked to are added to `todo`.
Status erase_node(lmdb::WriteTxn& txn,
                  lmdb::Table table,
                  const std::string& node,
                  std::vector<std::string>& todo) {
  for (;;) {
    std::string key;
    {
      TRY(auto cursor, lmdb::Cursor::open(txn, table));
      TRY(const bool found, cursor.seek(node));
      if (!found || !cursor.key().starts_with(node)) return {};
      key = cursor.key();
      if (key.size() == kLinkBytes) todo.push_back(child_of(cursor.value()));
    }
    TRY(const bool erased, table.erase(txn, key));
    AISFS_ASSERT(erased);
  }
}

}  // namespace

Result<std::optional<std::string_view>> NameTree::get(const lmdb::ReadTxn& txn,
                                                      BucketId bucket,
                                                      std::string_view key) const {
  return get_in(table_, txn, bucket, key);
}
Result<std::optional<std::string_view>> NameTree::get(const lmdb::WriteTxn& txn,
                                                      BucketId bucket,
                                                      std::string_view key) const {
  return get_in(table_, txn, bucket, key);
}

Status NameTree::put(lmdb::WriteTxn& txn,
                     NodeIds& ids,
                     BucketId bucket,
                     std::string_view key,
                     std::string_view value) const {
  std::string node = root_of_bucket(bucket);
  while (key.size() > kStepBytes) {
    const std::string link = link_key(node, key);
    TRY(const auto child, table_.get(txn, link));
    if (child) {
      node = child_of(*child);
    } else {
      node = node_of('N', ids.next++);
      CHECK_OK(table_.put(txn, link, std::string_view(node).substr(1)));
    }
    key.remove_prefix(kStepBytes);
  }
  node += key;
  return table_.put(txn, node, value);
}

Status NameTree::erase(lmdb::WriteTxn& txn, BucketId bucket, std::string_view key) const {
  std::vector<std::string> links;
  TRY(const auto at, find(table_, txn, bucket, key, &links));
  if (!at) return {};
  TRY(const bool erased, table_.erase(txn, *at));
  if (!erased) return {};
  std::string node = at->substr(0, kNodeBytes);
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    {
      TRY(auto cursor, lmdb::Cursor::open(txn, table_));
      TRY(const bool found, cursor.seek(node));
      if (found && cursor.key().starts_with(node)) return {};
    }
    TRY(const bool unlinked, table_.erase(txn, *link));
    AISFS_ASSERT(unlinked);
    node = link->substr(0, kNodeBytes);
  }
  return {};
}

Status NameTree::erase_bucket(lmdb::WriteTxn& txn, BucketId bucket) const {
  std::vector<std::string> todo{root_of_bucket(bucket)};
  while (!todo.empty()) {
    const std::string node = std::move(todo.back());
    todo.pop_back();
    CHECK_OK(erase_node(txn, table_, node, todo));
  }
  return {};
}

NameCursor::NameCursor(const lmdb::ReadTxn& txn, NameTree tree, BucketId bucket)
    : txn_(txn), tree_(tree), root_(root_of_bucket(bucket)) {}

Status NameCursor::descend(std::string node) {
  TRY(auto cursor, lmdb::Cursor::open(txn_, tree_.table()));
  levels_.push_back({std::move(node), std::move(cursor)});
  return {};
}

Result<bool> NameCursor::seek(std::string_view key) {
  while (levels_.size() > 1) levels_.pop_back();
  if (levels_.empty()) CHECK_OK(descend(root_));
  key_.clear();
  for (;;) {
    Level& level = levels_.back();
    const bool longer = key.size() > NameTree::kStepBytes;
    const std::string at = longer ? link_key(level.node, key) : level.node + std::string(key);
    TRY(const bool found, level.cursor.seek(at));
    rest_at_ = (levels_.size() - 1) * NameTree::kStepBytes;
    if (!found || !longer || level.cursor.key() != at) return settle(found);
    key_.resize(rest_at_);
    key_ += key.substr(0, NameTree::kStepBytes);
    key.remove_prefix(NameTree::kStepBytes);
    CHECK_OK(descend(child_of(level.cursor.value())));
  }
}

Result<bool> NameCursor::next() {
  TRY(const bool found, levels_.back().cursor.next());
  return settle(found);
}

/// From where the last level's cursor stands (or past the end of the table) to the next entry:
/// down through links, up where a node ends.
Result<bool> NameCursor::settle(bool found) {
  for (;;) {
    Level& level = levels_.back();
    rest_at_ = (levels_.size() - 1) * NameTree::kStepBytes;
    if (!found || !level.cursor.key().starts_with(level.node)) {
      if (levels_.size() == 1) return false;
      levels_.pop_back();
      TRY(found, levels_.back().cursor.next());
      continue;
    }
    key_.resize(rest_at_);
    if (level.cursor.key().size() != kLinkBytes) {
      key_ += level.cursor.key().substr(kNodeBytes);
      return true;
    }
    key_ += level.cursor.key().substr(kNodeBytes, NameTree::kStepBytes);
    CHECK_OK(descend(child_of(level.cursor.value())));
    TRY(found, levels_.back().cursor.seek(levels_.back().node));
  }
}

}  // namespace aisfs::store
