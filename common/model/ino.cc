// SPDX-License-Identifier: MIT
#include "common/model/ino.h"

#include <cstring>

#include "common/base/hash.h"

namespace aisfs {

std::uint64_t new_ino() {
  const std::string bytes = random_bytes(8);
  std::uint64_t ino = 0;
  std::memcpy(&ino, bytes.data(), sizeof ino);
  ino &= ~(std::uint64_t{1} << 63);
  return ino > 1 ? ino : ino + 2;
}

}  // namespace aisfs
