// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/cluster/doors.h"
#include "tests/fault/cluster/nodes.h"
#include "tests/fault/scale_out/tally.h"

namespace aisfs::tests::scale {

/// A bucket of the scenario, and how its objects are kept.
struct StockBucket {
  BucketName name;
  BucketProps props;

  /// On so many targets lies something of each object.
  std::size_t holders() const {
    return props.erasure.enabled() ? props.erasure.slices() : props.copies;
  }
};

/// Objects that never change and must be readable at any time, with the clients that read them, and
/// write, replace and remove objects of their own beside them. An operation is tried again as a
/// program would for half a minute; what it then has not got has failed. Who answers that an object
/// is not there is believed at once.
///
/// All but the clients' threads are for one thread.
class Stock {
 public:
  Stock(std::vector<StockBucket> buckets, std::size_t objects, Tally& tally);
  ~Stock() { end(); }

  const std::vector<StockBucket>& buckets() const { return buckets_; }
  std::size_t objects() const { return objects_; }
  static std::string key(std::size_t object);

  /// Makes the buckets and puts all objects.
  Status put_all(const storm::Nodes& nodes);
  void start_clients(const storm::Nodes& nodes, std::size_t clients, std::uint64_t seed);
  void end();

  /// Nobody uses the bucket any more when it returns.
  void leave(const BucketName& bucket);
  /// Reads and lists everything of the bucket; what is wrong, a line each. The bucket has been
  /// left, or the clients have ended.
  std::vector<std::string> verify(storm::Doors& doors, const BucketName& bucket) const;

 private:
  class Clerk;
  using Bodies = std::map<std::string, std::string>;  // by key

  struct Shelf {
    std::shared_mutex in_use;  // shared: by a client's operation
    std::atomic<bool> left = false;
    std::mutex mutex;
    Bodies own;  // guarded by mutex; what clients have put and not removed
  };

  std::string body(const BucketName& bucket, std::size_t object) const;
  Shelf& shelf(const BucketName& bucket) const { return *shelves_.at(bucket.name); }

  std::vector<StockBucket> buckets_;
  const std::size_t objects_;
  Tally& tally_;
  std::map<std::string, std::unique_ptr<Shelf>> shelves_;
  std::atomic<bool> ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace aisfs::tests::scale
