// SPDX-License-Identifier: MIT
#include "common/wire/data.h"

namespace aisfs::wire {

std::string_view name_of(DataMethod method) {
  switch (method) {
#define X(name, id) \
  case DataMethod::name: return #name;
    AISFS_DATA_METHODS(X)
#undef X
  }
  return "unknown";
}

std::optional<DataMethod> parse_data_method(std::string_view name) {
#define X(method, id) \
  if (name == #method) return DataMethod::method;
  AISFS_DATA_METHODS(X)
#undef X
  return std::nullopt;
}

}  // namespace aisfs::wire
