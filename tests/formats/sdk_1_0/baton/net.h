/* net: the listeners and connections that the host keeps for its modules.
 *
 * A listener is declared in the release and bound by the host. A process asks for it by name and
 * becomes its owner; what happens on it and on its connections arrives as messages. A connection is
 * a port term, a plain value that may stand in a state: nothing of it lies in the module, so it
 * lives through any number of upgrades of the module that serves it.
 *
 *   const baton_tcp* tcp = host->get_extension(host, BATON_TCP);      null: this host has no net
 *
 * Messages of a connection, to its owner (the first element is an atom; Listener is the atom of its
 * name)
 *   {tcp_accepted, Listener, Port}   a new connection, passive; it is the receiver's until it is
 *                                    passed on
 *   {tcp, Port, Bytes}               some bytes, a binary of 1 to BATON_TCP_CHUNK_MAX, in order
 *   {tcp_passive, Port}              the count of set_active is used up
 *   {tcp_closed, Port}               the last message. The other side has ended its stream. What is
 *                                    sent now still goes out: the owner closes the connection when
 *                                    it has answered, and the host does some seconds later
 *   {tcp_error, Port, Reason}        the connection is gone, by Reason: an atom such as econnreset,
 *                                    etimedout, idle_timeout, send_timeout, send_queue_full.
 *                                    {tcp_closed, Port} follows
 * and of an http listener, whose requests the host reads whole
 *   {http, Port, Request, Method, Target, Headers, Body}
 *        Request   an integer that respond wants back; requests of one port count up
 *        Method    an atom: 'GET' 'HEAD' 'POST' 'PUT' 'DELETE' 'OPTIONS' 'PATCH'
 *        Target    a binary: the path and the query, as sent ("/orders?open=1"), or "*"
 *        Headers   a map of binaries: names in lower case; a header that came several times has its
 *                  values joined by ", " (cookie: "; ")
 *        Body      a binary, which may be empty
 *   By default the owner of an http listener gets the requests of all its connections, no
 *   tcp_accepted and no tcp_closed. With BATON_LISTEN_ANNOUNCE it gets {tcp_accepted, Listener,
 *   Port} for each connection instead, to pass it on or keep it; the requests go to the
 *   connection's owner once that has called set_active with BATON_ACTIVE_ALWAYS, and so does
 *   {tcp_closed, Port}.
 *
 * Ownership
 *   When its owner ends, a connection is closed after what was sent has gone out. A listener stays
 *   bound and waits, not accepting, for the next process that asks for it; its http connections
 *   wait with it: requests under way are answered 500, those that come meanwhile 503.
 *
 * Flow control
 *   A passive connection is not read. Nor is one whose client does not take what was sent to it,
 *   until it does. What a client can put into its owner's mailbox is bounded by set_active with a
 *   number (that many chunks), not with BATON_ACTIVE_ALWAYS. For http the host bounds it: 64
 *   requests, bodies of body_bytes_max in all.
 *
 * Threads: inside the callback that the context was given to. A process may use any port it knows.
 */
#ifndef BATON_NET_H
#define BATON_NET_H

#include <baton/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_TCP "baton.tcp/1"
#define BATON_HTTP "baton.http/1"

enum { BATON_TCP_CHUNK_MAX = 65536 };

/* What these functions return when not said otherwise. */
enum {
  BATON_NET_OK = 0,
  BATON_NET_CLOSED = -1,    /* no such listener; no such connection, or not any more */
  BATON_NET_NOT_OWNER = -2, /* it belongs to another process */
  BATON_NET_TAKEN = -3,     /* the listener has an owner */
  BATON_NET_INVALID = -4    /* an argument that can never be right, or a process that has ended */
};

enum { BATON_LISTEN_ANNOUNCE = 1 /* http: announce connections and give each its own owner */ };

/* For set_active; any number above 0 is that many messages, added to what is left, then
 * {tcp_passive, Port}. */
enum {
  BATON_ACTIVE_FALSE = 0,   /* no more {tcp, _, _}; no message says so */
  BATON_ACTIVE_ALWAYS = -1, /* no limit */
  BATON_ACTIVE_ONCE = -2    /* one message; no tcp_passive after it */
};

typedef struct baton_tcp {
  uint32_t struct_size;
  uint32_t flags; /* 0 */

  /* Makes the caller the owner of a listener of the release; its name is 1 to 255 bytes. A process
   * that owns it already may call again. BATON_NET_TAKEN while another process lives that owns it.
   * */
  int (*listen)(baton_context*, const char* name, size_t size, uint32_t flags);
  /* Gives it up: the next owner may come. */
  int (*unlisten)(baton_context*, const char* name, size_t size);
  /* The address a listener is bound to, "127.0.0.1:8080", with a final zero; the length, or an
   * error. */
  int (*address)(baton_context*, const char* name, size_t size, char* text, size_t capacity);

  /* Passes a connection of the caller's on, best while it is passive: messages sent already stay
   * where they are. */
  int (*controlling_process)(baton_context*, baton_term port, baton_term pid);
  /* Owner only. */
  int (*set_active)(baton_context*, baton_term port, int32_t count);
  /* Sends, without ever waiting: how many bytes of this connection still wait to go out (0: the
   * system has them all), or an error. A connection that already holds its send_queue_bytes_max is
   * closed instead. */
  int64_t (*send)(baton_context*, baton_term port, const void* bytes, size_t size);
  /* Ends our stream after what was sent; the other side's may go on. */
  int (*shutdown)(baton_context*, baton_term port);
  /* Closes after what was sent has gone out. No message follows, the port is void from now on. */
  int (*close)(baton_context*, baton_term port);
  /* The other side's address, as address. */
  int (*peer)(baton_context*, baton_term port, char* text, size_t capacity);
} baton_tcp;

typedef struct baton_http_header {
  const char* name;
  size_t name_size;
  const char* value;
  size_t value_size;
} baton_http_header;

typedef struct baton_http {
  uint32_t struct_size;
  uint32_t flags; /* 0 */

  /* Answers a request, once; answers may come in any order and go out in that of the requests.
   * `status` is 200 to 599. The host adds Date and Content-Length, leaves the body out where HTTP
   * wants none, and obeys a header "connection: close". BATON_NET_CLOSED: the client is gone or the
   * request is answered already. BATON_NET_INVALID: a status or a header that may not be sent
   * (content-length, transfer-encoding, bytes that are no header text); nothing was answered. */
  int (*respond)(baton_context*, baton_term port, int64_t request, int status,
                 const baton_http_header* headers, size_t header_count, const void* body,
                 size_t body_size);
} baton_http;

#ifdef __cplusplus
}
#endif
#endif
