// SPDX-License-Identifier: MIT
#pragma once
#include <map>
#include <string>
#include <vector>

#include "tests/fault/bit_flips/damage.h"
#include "tests/kit/user.h"

namespace aisfs::tests::flips {

/// Objects whose bytes and metadata are known, in a bucket with three copies and in one of 2+2
/// slices: of each any two copies may be damaged.
class Stock {
 public:
  static constexpr std::size_t kLosses = 2, kSlices = 4;

  Stock(std::size_t objects, std::uint64_t seed);

  /// Makes the buckets and puts everything.
  Status fill(User& user);
  /// Writes some anew, removes some, puts back some that were removed.
  Status change(User& user);
  /// Reads everything in all ways; a line for each that is not as it was left.
  std::vector<std::string> look(User& user);
  std::size_t reads() const { return reads_; }
  /// What is there now, as File::object has it, and whether it lies in slices. Others may have
  /// files for a while, which nobody reads any more.
  std::map<std::string, bool> there() const;

 private:
  struct Object {
    BucketName bucket;
    std::string key, body;
    std::map<std::string, std::string> user;
    ObjectInfo info;    // as HEAD says
    ObjectInfo listed;  // as LIST says
    bool there = false;
  };

  Status put(User& user, Object& object);
  Status learn(User& user);
  void look_at(User& user, const Object& object, std::vector<std::string>& wrong);

  std::vector<Object> objects_;
  Random random_;
  std::uint64_t writes_ = 0;
  std::size_t reads_ = 0;
};

}  // namespace aisfs::tests::flips
