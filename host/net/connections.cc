#include "net/connections.h"

#include "base/check.h"
#include "term/layout.h"

namespace baton::net {

namespace {
constexpr std::uint32_t kChunksMax = kPortsMax / 256;
static_assert(kPortsMax - 1 <= term::kPortIndexMax);
}  // namespace

Connections::Connections()
    : scratch_(std::make_unique<Scratch[]>(runtime::kContextsMax)),
      chunks_(std::make_unique<std::atomic<Chunk*>[]>(kChunksMax)) {}

Connections::~Connections() {
  for (std::uint32_t i = 0; i < kChunksMax; ++i) {
    Chunk* chunk = chunks_[i].load(std::memory_order_acquire);
    if (chunk == nullptr) break;
    for (Connection& connection : chunk->connections) connection.drop();
    delete chunk;
  }
}

Connections::Slot Connections::allocate(Whose whose) {
  std::lock_guard lock(mutex_);
  const std::size_t open = used_ - free_.size();
  if (open >= kPortsMax - (whose == Whose::kClients ? kPortsReserved : 0)) return {};
  std::uint32_t index = used_;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    if (used_ % kChunk == 0) chunks_[used_ / kChunk].store(new Chunk, std::memory_order_release);
    ++used_;
  }
  Chunk& chunk = *chunks_[index / kChunk].load(std::memory_order_relaxed);
  const std::uint32_t generation = ++chunk.generations[index % kChunk];
  return {&chunk.connections[index % kChunk], term::make_port(index, generation)};
}

void Connections::release(baton_term port) {
  std::lock_guard lock(mutex_);
  free_.push_back(term::as_port(port)->index);
}

Connection* Connections::find(baton_term word) {
  const auto port = term::as_port(word);
  if (!port || port->index >= kPortsMax) return nullptr;
  Chunk* chunk = chunks_[port->index / kChunk].load(std::memory_order_acquire);
  return chunk != nullptr ? &chunk->connections[port->index % kChunk] : nullptr;
}

}  // namespace baton::net
