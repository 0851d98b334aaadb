// Gate: whether a module's file may be loaded, judged before any of its code runs.
//
// Two versions of a C++ library in one process mix silently in ways that only the file can show
// (host/README.md, "Loading"). Each rule below keeps one of them out; a refusal names rule, symbol
// and cure.
//
//   rule              refuses                                                       because
//   elf-file ...      what is no 64-bit Linux library of this machine, or whose     the dynamic
//   loader would trust it
//                     headers, tables or notes are truncated or contradict (elf.h)
//   note              a missing, doubled or malformed baton note                    nothing is
//   known about it otherwise abi               an ABI major that is not ours, or a minor above ours
//   the host has not what it expects build-id          none, or not the one that the manifest
//   promises               loaded and judged must be the same unique-symbols    STB_GNU_UNIQUE one
//   for all versions, and it pins thread-local      a TLS segment, symbol or import pins; processes
//   change threads writable-globals  variables, unless the note says stateful_globals state that no
//   take-over sees nodelete          NODELETE and other flags of special loading it could not be
//   unloaded textrel           relocations in code                                           needs
//   writable code executable-stack  a stack or a segment that is writable and executable needs
//   writable code rpath             RPATH, RUNPATH loads what was never judged dependencies
//   libraries beside libc, libm, libstdc++, libgcc_s, ld-linux    shared between versions by name
//   exports           anything but the function baton_module_entry                  would be bound
//   by other versions imports           symbols off the list (imports.h) code beyond the host's
//   sight
//
// A build with sanitizers instruments modules too: it imports their runtime, needs their libraries
// and makes variables without names. Only a host that is built so itself lets that pass, and
// nothing else.
//
// Threads: pure; any thread.
// Fails:   kRefused; the first rule broken in the order above.
#pragma once

#include "base/result.h"
#include "bundle/elf.h"
#include "bundle/note.h"

#include <baton/abi.h>

#include <string>

namespace baton::bundle {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHostIsSanitized = true;
#else
inline constexpr bool kHostIsSanitized = false;
#endif

struct GateRules {
  AbiVersion abi{BATON_ABI_MAJOR, BATON_ABI_MINOR};  // the host's
  bool allow_sanitizers = kHostIsSanitized;
  std::string build_id;  // in hexadecimal, as the manifest promises; empty: any
};

/// What is known of a module that passed.
struct ModuleFacts {
  ModuleNote note;
  std::string build_id;  // in hexadecimal
};

Result<ModuleFacts> gate(const ElfFile& file, const GateRules& rules);

}  // namespace baton::bundle
