// SPDX-License-Identifier: MIT
#include "node/ec/codec.h"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <memory>
#include <string>

#include "common/base/assert.h"
#include "common/base/once_made.h"

namespace aisfs::ec {
namespace {

// ISA-L computes six outputs at a time and reads all sources again for the next six: of pieces that
// all together stay in the second-level cache, from there.
constexpr std::size_t kBytesInCache = 512_KiB;
constexpr std::size_t kStepAlign = 4096;

/// How much of each of so many blocks is computed at a time.
std::size_t step_of(std::size_t blocks) {
  return std::max(kBytesInCache / blocks / kStepAlign * kStepAlign, kStepAlign);
}

std::vector<unsigned char> tables_of(std::size_t sources,
                                     std::size_t outputs,
                                     std::vector<unsigned char> coefficients) {
  std::vector<unsigned char> tables(32 * sources * outputs);
  if (outputs != 0) {
    ec_init_tables(static_cast<int>(sources), static_cast<int>(outputs), coefficients.data(),
                   tables.data());
  }
  return tables;
}

/// Row times matrix; both have `n` columns, the matrix `n` rows.
void append_product(std::vector<unsigned char>& out,
                    std::span<const unsigned char> row,
                    std::span<const unsigned char> matrix) {
  const std::size_t n = row.size();
  for (std::size_t column = 0; column < n; ++column) {
    unsigned char sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum ^= gf_mul(row[i], matrix[i * n + column]);
    out.push_back(sum);
  }
}

}  // namespace

void Recipe::apply(std::span<const std::byte* const> from,
                   std::span<std::byte* const> to,
                   std::size_t length) const {
  AISFS_ASSERT(from.size() == sources_.size() && to.size() == outputs_.size());
  if (to.empty()) return;
  const std::size_t step = step_of(from.size() + to.size());
  std::array<unsigned char*, kSlicesMax> in, out;
  for (std::size_t at = 0; at < length; at += step) {
    // ISA-L takes the sources as not const and does not write to them.
    for (std::size_t i = 0; i < from.size(); ++i) {
      in[i] = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(from[i])) + at;
    }
    for (std::size_t i = 0; i < to.size(); ++i) {
      out[i] = reinterpret_cast<unsigned char*>(to[i]) + at;
    }
    ec_encode_data(static_cast<int>(std::min(step, length - at)), static_cast<int>(from.size()),
                   static_cast<int>(to.size()), const_cast<unsigned char*>(tables_.data()),
                   in.data(), out.data());
  }
}

const Codec& Codec::of(Geometry geometry) {
  static std::array<std::array<OnceMade<Codec>, kParityMax>, kDataMax> made;
  AISFS_ASSERT(geometry.validate().ok());
  auto& slot = made[geometry.data - 1][geometry.parity - 1];
  if (const Codec* codec = slot.get()) return *codec;
  return slot.keep(std::make_unique<const Codec>(geometry));
}

Codec::Codec(Geometry geometry) : geometry_(geometry) {
  const unsigned d = geometry.data;
  std::vector<unsigned char> coefficients;
  for (unsigned i = 0; i < geometry.slices(); ++i) {
    for (unsigned j = 0; j < d; ++j) {
      matrix_[i][j] = i < d ? (i == j ? 1 : 0) : gf_inv(static_cast<unsigned char>(i ^ j));
    }
    if (i >= d) coefficients.insert(coefficients.end(), matrix_[i].begin(), matrix_[i].begin() + d);
    (i < d ? parity_.sources_ : parity_.outputs_).push_back(i);
  }
  parity_.tables_ = tables_of(d, geometry.parity, std::move(coefficients));
}

Result<Recipe> Codec::repair(const SliceSet& present, const SliceSet& wanted) const {
  const unsigned d = geometry_.data;
  if (present.count() < d) {
    return Error(Errc::invalid_argument, "of " + geometry_.to_string() + " slices " +
                                             std::to_string(present.count()) + " are there, " +
                                             std::to_string(d) + " are needed");
  }
  const SliceSet all = SliceSet().set() >> (kSlicesMax - geometry_.slices());
  if ((present & wanted).any() || ((present | wanted) & ~all).any()) {
    return Error(Errc::invalid_argument, "slices " + to_string(wanted) + " of " +
                                             to_string(present) + " in " + geometry_.to_string());
  }
  Recipe recipe;
  recipe.sources_ = indices(present);
  recipe.sources_.resize(d);
  recipe.outputs_ = indices(wanted);
  std::vector<unsigned char> known, inverse(std::size_t{d} * d), coefficients;
  for (unsigned i : recipe.sources_) {
    known.insert(known.end(), matrix_[i].begin(), matrix_[i].begin() + d);
  }
  AISFS_ASSERT(gf_invert_matrix(known.data(), inverse.data(), static_cast<int>(d)) == 0);
  for (unsigned i : recipe.outputs_) {
    append_product(coefficients, std::span(matrix_[i]).first(d), inverse);
  }
  recipe.tables_ = tables_of(d, recipe.outputs_.size(), std::move(coefficients));
  return recipe;
}

}  // namespace aisfs::ec
