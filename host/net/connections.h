// Connections: the slots of all connections, who owns which, and what they share.
//
// Ownership: owns the connections; outlives their listeners' last use.
// Threads:   any thread; a Scratch is its context's.
#pragma once

#include "net/connection.h"
#include "net/port_index.h"
#include "runtime/runtime.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace baton::net {

/// Neither a listener's key nor a port.
inline constexpr std::uint64_t kMemoryKey = 128;

class Connections {
 public:
  Connections();
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  struct Slot {
    Connection* connection = nullptr;  // null: there is none left
    baton_term port = BATON_NO_TERM;   // its name from now on
  };
  /// For a connection of these.
  enum class Whose { kClients, kChecks };
  Slot allocate(Whose whose);
  /// Gives back the slot of a port that is void now.
  void release(baton_term port);
  /// The slot of a port; its use may be another one by now. Null: no such port was ever open.
  Connection* find(baton_term port);

  /// Each slot that was ever in use, in no order; those who open one meanwhile may be missed.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::uint32_t i = 0; i < kPortsMax / kChunk; ++i) {
      Chunk* chunk = chunks_[i].load(std::memory_order_acquire);
      if (chunk == nullptr) return;
      for (Connection& connection : chunk->connections) visit(connection);
    }
  }

  PortIndex& index() { return index_; }

  /// What connections hold is high: from now on it is looked at, by the handler's due for
  /// kMemoryKey.
  void watch_memory(Readiness& readiness) {
    if (is_memory_watched_.exchange(true, std::memory_order_seq_cst)) return;
    readiness.set_deadline(runtime::now_ns() + kMemoryTickNs, kMemoryKey);
  }
  /// Before it is looked at.
  void forget_memory() { is_memory_watched_.store(false, std::memory_order_seq_cst); }

  /// What a context needs while it reads or answers HTTP.
  struct alignas(64) Scratch {
    HttpDate date;
    HttpHead head;
  };
  Scratch& scratch(const runtime::Context& context) { return scratch_[context.id]; }

 private:
  static constexpr std::uint32_t kChunk = 256;
  struct Chunk {
    Connection connections[kChunk];
    std::uint32_t generations[kChunk] = {};  // guarded by mutex_
  };

  PortIndex index_;
  std::atomic<bool> is_memory_watched_{false};
  std::unique_ptr<Scratch[]> scratch_;
  std::unique_ptr<std::atomic<Chunk*>[]> chunks_;  // each is set once

  std::mutex mutex_;
  std::vector<std::uint32_t> free_;  // guarded by mutex_
  std::uint32_t used_ = 0;           // guarded by mutex_
};

}  // namespace baton::net
