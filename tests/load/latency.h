// Latency: how long requests took, as counts in buckets about 3 % wide.
//
// Threads: a value; one thread at a time.
#pragma once

#include <array>
#include <cstdint>

namespace baton::load {

class Latency {
 public:
  void add(std::uint64_t nanoseconds);
  void add(const Latency& other);
  std::uint64_t count() const { return count_; }
  /// The longest added, exactly.
  std::uint64_t longest() const { return longest_; }
  /// The upper edge of the bucket below which this share of the requests lies; 0 where there are
  /// none. Requires: 0 <= share <= 1.
  std::uint64_t quantile(double share) const;

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr unsigned kBuckets = (64 - kSubBits + 1) << kSubBits;
  static unsigned bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t upper_edge(unsigned bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t longest_ = 0;
};

}  // namespace baton::load
