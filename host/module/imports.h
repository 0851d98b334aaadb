// Imports: which symbols a module may take from the system's libraries.
//
// An allow-list, because a deny list would miss what it did not think of: std::thread, for one,
// imports no pthread_create. Module code may compute, allocate, format, convert, sort, throw and
// take the time. What makes code run where the host cannot see it end (threads, signal handlers,
// exit handlers, dl*), what blocks a scheduler (files, sockets, sleeping) and what changes the
// whole process (environment, locale, memory protection) is not on it.
//
// The lists are files in imports/, one a library and a symbol a line, each with what it was chosen
// by; the build makes tables of them.
//
// Threads: pure functions over constants; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace baton::module {

/// Whether a module may import this symbol, whatever its version.
bool is_allowed_import(std::string_view name);

/// Whether an instrumented module may import it besides: the run-time calls of a sanitizer.
bool is_sanitizer_import(std::string_view name);

/// What to do instead of importing this symbol.
std::string_view import_cure(std::string_view name);

/// What in a source file a symbol comes from, where that cannot be guessed from the symbol.
struct Culprit {
  std::string_view what;  // as the author wrote it
  std::string_view cure;
};
std::optional<Culprit> culprit(std::string_view symbol);

/// Whether a module may name this library in DT_NEEDED.
bool is_allowed_library(std::string_view name);
bool is_sanitizer_library(std::string_view name);

}  // namespace baton::module
