// SPDX-License-Identifier: MIT
#include "node/control/map_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/base/unique_fd.h"
#include "common/wire/envelope.h"
#include "common/wire/map_delta.h"
#include "node/control/small_file.h"

namespace aisfs::control {
namespace {

std::string changes_of(const std::string& file) { return file + ".changes"; }

}  // namespace

Status MapFile::save(const ClusterMap& map, const std::vector<std::string>& deltas) {
  if (saved_ != 0 && !deltas.empty() && append(deltas)) {
    saved_ = map.epoch;
    return {};
  }
  saved_ = 0;
  const std::string bytes = wire::encode(map);
  CHECK_OK(write_private_file(file_, bytes));
  // Changes that stay because of a crash here are older than the map, and passed over.
  if (::unlink(changes_of(file_).c_str()) != 0 && errno != ENOENT) {
    return errno_error("remove " + changes_of(file_));
  }
  saved_ = map.epoch;
  whole_bytes_ = bytes.size();
  change_bytes_ = 0;
  return {};
}

Status MapFile::append(const std::vector<std::string>& deltas) {
  std::string bytes;
  for (const std::string& delta : deltas) bytes += delta;
  change_bytes_ += bytes.size();
  if (change_bytes_ > whole_bytes_ / 2) {
    return Error(Errc::too_large, "to read the changes would take as long as to read the map");
  }
  const UniqueFd fd(
      ::open(changes_of(file_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error("open " + changes_of(file_));
  const auto written = ::write(fd.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd.get()) != 0) {
    return errno_error("write " + changes_of(file_));
  }
  return {};
}

Result<ClusterMap> MapFile::load(const std::string& file) {
  TRY(const auto bytes, read_private_file(file));
  TRY(auto map, wire::decode<ClusterMap>(bytes));
  const auto changes = read_private_file(changes_of(file));
  if (!changes || changes->empty()) return map;
  wire::HashedMap newest{map, wire::entries_hash(map)};
  for (std::string_view rest = *changes; !rest.empty();) {
    const auto size = wire::envelope_size(rest);
    if (!size) break;
    const auto delta = wire::decode<wire::MapDelta>(rest.substr(0, *size));
    if (!delta) break;
    rest.remove_prefix(*size);
    if (delta->epoch <= newest.map.epoch) continue;
    auto next = wire::apply_delta(newest.map, newest.entries, *delta);
    if (!next) break;
    newest = *std::move(next);
  }
  return std::move(newest.map);
}

}  // namespace aisfs::control
