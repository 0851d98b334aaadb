// PortIndex: which ports belong to whom.
//
// Invariants: kept by the connections: an open connection stands under its owner, exactly once.
// Threads:    any thread.
#pragma once

#include <baton/abi.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <mutex>
#include <vector>

namespace baton::net {

class PortIndex {
 public:
  void add(baton_term owner, baton_term port) {
    Shard& shard = shard_of(owner);
    std::lock_guard lock(shard.mutex);
    shard.ports[owner].insert(port);
  }
  void remove(baton_term owner, baton_term port) {
    Shard& shard = shard_of(owner);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.ports.find(owner);
    if (found == shard.ports.end()) return;
    found->second.erase(port);
    if (found->second.empty()) shard.ports.erase(found);
  }
  std::vector<baton_term> ports_of(baton_term owner) {
    Shard& shard = shard_of(owner);
    std::lock_guard lock(shard.mutex);
    const auto found = shard.ports.find(owner);
    if (found == shard.ports.end()) return {};
    return {found->second.begin(), found->second.end()};
  }

 private:
  static constexpr std::size_t kShards = 16;
  struct alignas(64) Shard {
    std::mutex mutex;
    boost::unordered_flat_map<baton_term, boost::unordered_flat_set<baton_term>> ports;
  };
  Shard& shard_of(baton_term owner) { return shards_[(owner >> 3 ^ owner >> 8) % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace baton::net
