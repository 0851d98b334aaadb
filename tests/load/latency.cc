#include "load/latency.h"

#include "base/check.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace baton::load {

// Values under 32 have a bucket each; above, every power of two is cut into 32 buckets.
unsigned Latency::bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < (1u << kSubBits)) return static_cast<unsigned>(nanoseconds);
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - kSubBits - 1;
  const unsigned sub = static_cast<unsigned>(nanoseconds >> shift) - (1u << kSubBits);
  return ((shift + 1) << kSubBits) + sub;
}

std::uint64_t Latency::upper_edge(unsigned bucket) {
  if (bucket < (1u << kSubBits)) return bucket;
  const unsigned shift = (bucket >> kSubBits) - 1;
  const std::uint64_t sub = (bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits);
  return ((sub + 1) << shift) - 1;
}

void Latency::add(std::uint64_t nanoseconds) {
  ++buckets_[bucket_of(nanoseconds)];
  ++count_;
  longest_ = std::max(longest_, nanoseconds);
}

void Latency::add(const Latency& other) {
  for (unsigned bucket = 0; bucket < kBuckets; ++bucket) buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  longest_ = std::max(longest_, other.longest_);
}

std::uint64_t Latency::quantile(double share) const {
  BATON_CHECK(share >= 0 && share <= 1);
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t below = 0;
  for (unsigned bucket = 0; bucket < kBuckets; ++bucket) {
    below += buckets_[bucket];
    if (below >= rank && below > 0) return std::min(upper_edge(bucket), longest_);
  }
  return 0;
}

}  // namespace baton::load
