// Gate: whether a module's file may be loaded, judged before any of its code runs.
//
// Two versions of a C++ library in one process mix silently in ways that only the file can show
// and run code before anybody asks for it. Each rule below keeps one of these ways shut; a refusal
// names rule, symbol and cure.
//
//   rule              refuses                                     because
//   elf-file ...      what is no 64-bit Linux library of this     the dynamic loader would trust it
//                     machine, or whose headers, tables or notes
//                     are truncated or contradict (elf.h)
//   note              a missing, doubled or malformed baton note  nothing is known about it
//                                                                 otherwise
//   abi               an ABI major that is not ours, or a minor   the host has not what it expects
//                     above ours
//   build-id          none, or not the one that the manifest      loaded and judged must be the
//                     promises                                    same
//   unique-symbols    STB_GNU_UNIQUE                              one for all versions, and it pins
//   thread-local      a TLS segment, symbol or import             pins; processes change threads
//   writable-globals  variables, unless the note says             state that no take-over sees
//                     stateful_globals
//   indirect-         functions chosen by a resolver (ifunc,      the resolver runs inside dlopen
//   functions         target_clones)
//   constructors      functions in INIT_ARRAY or FINI_ARRAY       run under the loader's lock
//                     other than the compiler's own; such as
//                     initialise a file's variables, unless the
//                     note says stateful_globals; code of one's
//                     own in DT_INIT or DT_FINI; PREINIT_ARRAY
//   nodelete          NODELETE and other flags of special         it could not be unloaded
//                     loading
//   textrel           relocations in code                         needs writable code
//   executable-stack  an executable stack, or a segment that is   needs writable code
//                     writable and executable
//   rpath             RPATH, RUNPATH                              loads what was never judged
//   dependencies      libraries beside libc, libm, libstdc++,     shared between versions by name
//                     libgcc_s, ld-linux
//   exports           anything but the function                   would be bound by other versions
//                     baton_module_entry
//   imports           symbols off the list (imports.h)            code beyond the host's sight
//
// A build with sanitizers instruments modules too: it imports their runtime, needs their libraries
// and makes variables without names. Only a host that is built so itself lets that pass, and
// nothing else.
//
// Threads: pure; any thread.
// Fails:   kRefused; the first rule broken in the order above (the note's abi is looked at before
//          its other lines, which a newer ABI may have added).
#pragma once

#include "base/result.h"
#include "module/elf.h"
#include "module/note.h"

#include <baton/abi.h>

#include <string>

namespace baton::module {

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
  std::string note_text;  // its lines, as a manifest has them
  std::string build_id;   // in hexadecimal
};

Result<ModuleFacts> gate(const ElfFile& file, const GateRules& rules);

}  // namespace baton::module
