// Messages: what a connection tells its owner, as term messages; baton/net.h says what they mean.
//
// Threads: the context's.
#pragma once

#include "net/http_head.h"
#include "runtime/context.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/atom_table.h"

#include <baton/abi.h>

#include <string_view>

namespace baton::net {

namespace atoms {
inline constexpr baton_term kTcp = term::atom("tcp");
inline constexpr baton_term kTcpAccepted = term::atom("tcp_accepted");
inline constexpr baton_term kTcpClosed = term::atom("tcp_closed");
inline constexpr baton_term kTcpError = term::atom("tcp_error");
inline constexpr baton_term kTcpPassive = term::atom("tcp_passive");
inline constexpr baton_term kHttp = term::atom("http");
inline constexpr baton_term kIdleTimeout = term::atom("idle_timeout");
inline constexpr baton_term kSendTimeout = term::atom("send_timeout");
inline constexpr baton_term kMemoryFull = term::atom("memory_full");
inline constexpr baton_term kShed = term::atom("shed");
inline constexpr baton_term kSendQueueFull = term::atom("send_queue_full");
}  // namespace atoms

/// Makes all atoms of this room printable.
void intern_atoms(term::AtomTable& table);
/// The atom of an error number: econnreset, ...
baton_term atom_of_error(int error);

/// {Name, A} and {Name, A, B} of immediate terms.
runtime::Message* message_of(runtime::Context& context, baton_term name, baton_term a);
runtime::Message* message_of(runtime::Context& context, baton_term name, baton_term a,
                             baton_term b);
/// {tcp, Port, Bytes}
runtime::Message* tcp_message(runtime::Context& context, baton_term port, std::string_view bytes);
/// {http, Port, Request, Method, Target, Headers, Body}
runtime::Message* http_message(runtime::Context& context, baton_term port, std::int64_t request,
                               const HttpHead& head, std::string_view body);

}  // namespace baton::net
