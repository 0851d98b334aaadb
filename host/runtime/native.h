// Native behaviours: the tables of a gen_server whose state is a C++ object of the host's own.
//
// Such a state is never taken over, so its schema has no fields; it is made by its default
// constructor and ended by its destructor.
//
// Threads: constants.
#pragma once

#include "runtime/process.h"

#include <baton/abi.h>

#include <cstdint>
#include <new>

namespace baton::runtime {

template <class State>
int construct_native(void* raw, baton_error*) {
  new (raw) State;
  return 0;
}
template <class State>
void destroy_native(void* live) {
  static_cast<State*>(live)->~State();
}

/// `to_term` shows the state, as in baton_schema; null: it is not shown.
template <class State>
constexpr baton_schema native_schema(const char* name,
                                     decltype(baton_schema::to_term) to_term = nullptr) {
  return {.struct_size = sizeof(baton_schema),
          .field_stride = sizeof(baton_field),
          .field_count = 0,
          .size = sizeof(State),
          .align = alignof(State),
          .revision = 0,
          .name = name,
          .fingerprint = 0,
          .fields = nullptr,
          .dropped = nullptr,
          .construct = construct_native<State>,
          .destroy = destroy_native<State>,
          .change = nullptr,
          .revert = nullptr,
          .loss = nullptr,
          .discard = nullptr,
          .to_term = to_term};
}

/// Requires: the schema is a constant that lives as long as the behaviour is used. `flags` are
/// BehaviourFlags.
constexpr baton_behaviour native_behaviour(const baton_schema& schema,
                                           decltype(baton_behaviour::init) init,
                                           decltype(baton_behaviour::handle) handle,
                                           std::uint32_t flags = 0) {
  return {.name = schema.name,
          .kind = BATON_GEN_SERVER,
          .flags = flags | kIsHostCode,
          .state = &schema,
          .init = init,
          .handle = handle,
          .resume = nullptr,
          .destroy_frame = nullptr,
          .terminate = nullptr};
}

}  // namespace baton::runtime
