// SPDX-License-Identifier: MIT
// Bytes that old releases wrote, as hexadecimal text in tests/golden.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "common/base/text.h"

namespace aisfs {

/// The bytes of tests/golden/<name>.hex. With AISFS_WRITE_GOLDEN set in the environment, a file
/// that does not exist yet is made of `now`: once, when a format is new.
inline std::string golden(const std::string& name, const std::string& now) {
  const std::string path = std::string(AISFS_GOLDEN_DIR) + "/" + name + ".hex";
  if (std::getenv("AISFS_WRITE_GOLDEN") != nullptr && !std::ifstream(path)) {
    std::ofstream out(path);
    const std::string hex = to_hex(as_bytes(now));
    for (std::size_t i = 0; i < hex.size(); i += 64) out << hex.substr(i, 64) << '\n';
  }
  std::ifstream in(path);
  EXPECT_TRUE(in.is_open()) << path;
  std::string hex, line;
  while (std::getline(in, line)) hex += line;
  return from_hex(hex).value_or("");
}

}  // namespace aisfs
