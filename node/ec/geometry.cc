// SPDX-License-Identifier: MIT
#include "node/ec/geometry.h"

namespace aisfs::ec {

Status Geometry::validate() const {
  const bool data_ok = data >= 1 && data <= kDataMax;
  const bool parity_ok = parity >= 1 && parity <= kParityMax;
  if (data_ok && parity_ok) return {};
  return Error(Errc::invalid_argument,
               "erasure coding " + to_string() + ": 1 to " + std::to_string(kDataMax) +
                   " data and 1 to " + std::to_string(kParityMax) + " parity slices are possible");
}

std::string Geometry::to_string() const {
  return std::to_string(data) + "+" + std::to_string(parity);
}

std::vector<unsigned> indices(const SliceSet& slices) {
  std::vector<unsigned> out;
  for (unsigned i = 0; i < kSlicesMax; ++i) {
    if (slices.test(i)) out.push_back(i);
  }
  return out;
}

std::string to_string(const SliceSet& slices) {
  std::string out;
  for (unsigned i : indices(slices)) {
    if (!out.empty()) out += ", ";
    out += std::to_string(i);
  }
  return out;
}

}  // namespace aisfs::ec
