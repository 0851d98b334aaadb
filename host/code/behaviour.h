// Behaviour: what the host asks of a behaviour, whatever kind it is of. The gate and the library's
// check hold kind and table to it (code/library.cc).
#pragma once

#include <baton/abi.h>

namespace baton::code {

/// It keeps a state object, which can be shown and moved to another version; it is a frame of its
/// version's code otherwise.
inline bool has_state(const baton_behaviour& behaviour) { return behaviour.state != nullptr; }

}  // namespace baton::code
