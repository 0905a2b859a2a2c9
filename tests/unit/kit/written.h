// SPDX-License-Identifier: MIT
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/kit/history/history_file.h"
#include "tests/kit/history/operation.h"

namespace aisfs::tests::history {

/// A history written by hand: lines as of history_file.h, without the header.
inline Operations operations_of(std::string_view lines) {
  auto operations = parse_text(std::string(kHistoryHeader) + '\n' + std::string(lines));
  EXPECT_TRUE(operations) << operations.error().what();
  return *std::move(operations);
}

}  // namespace aisfs::tests::history
