// Behaviour: what the host asks of a behaviour, whatever kind it is of. The gate and the library's
// check hold kind and table to it (code/library.cc).
#pragma once

#include <baton/abi.h>

#include <cstddef>
#include <cstdint>

namespace baton::code {

/// It keeps a state object, which can be shown and moved to another version; it is a frame of its
/// version's code otherwise.
inline bool has_state(const baton_behaviour& behaviour) { return behaviour.state != nullptr; }

/// Of a description that may have hooks: one of an ABI before 1.2 ends before them.
inline constexpr std::uint32_t kHookedBehaviourBytes =
    offsetof(baton_behaviour, hooks) + sizeof(baton_behaviour::hooks);

/// The hooks of one of its messages, as numbered in the note; null if it has none. `stride` is that
/// of the module's behaviours.
inline const baton_message_hooks* message_hooks(const baton_behaviour& behaviour,
                                                std::uint32_t stride, std::uint32_t message) {
  if (stride < kHookedBehaviourBytes) return nullptr;
  for (std::uint32_t i = 0; i < behaviour.hook_count; ++i) {
    const auto* const hooks = reinterpret_cast<const baton_message_hooks*>(
        reinterpret_cast<const char*>(behaviour.hooks) + std::size_t{i} * behaviour.hook_stride);
    if (hooks->message == message) return hooks;
  }
  return nullptr;
}

}  // namespace baton::code
