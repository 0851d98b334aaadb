// HostTable: the functions of baton_host, over the runtime's.
//
// Ownership: the Runtime's; modules keep pointers to it from their init to their fini.
// Threads:   as abi.h says per function.
#pragma once

#include <baton/abi.h>

namespace baton::runtime {

class Runtime;

struct HostTable : baton_host {
  explicit HostTable(Runtime& runtime_of);
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  Runtime& runtime;
};

/// What the runtime itself can do besides the table (baton/interval.h).
void add_own_extensions(Runtime& runtime);

}  // namespace baton::runtime
