#include "net/tables.h"

#include "net/limits.h"
#include "net/net.h"

namespace baton::net {

namespace {

// Only a Net is ever set as a runtime's keeper of ports.
Net& net_of(baton_context* context) {
  return static_cast<Net&>(*runtime::context_of(context).runtime.port_keeper());
}

// What a process that was abandoned is answered, and `act` is not done.
template <class Act>
auto guarded(baton_context* raw, Act act) {
  runtime::Context& context = runtime::context_of(raw);
  const runtime::HostCall call(context);
  using Answer = decltype(act(net_of(raw), context));
  return call.is_refused() ? Answer{BATON_NET_CLOSED} : act(net_of(raw), context);
}

bool is_name(const char* name, std::size_t size) {
  return name != nullptr && size >= 1 && size <= kListenerNameBytesMax;
}

int write_address(const description::Address& address, char* text, std::size_t capacity) {
  if (address.host.empty()) return BATON_NET_CLOSED;
  const std::string whole = address.text();
  if (whole.size() >= capacity) return BATON_NET_INVALID;
  whole.copy(text, whole.size());
  text[whole.size()] = '\0';
  return static_cast<int>(whole.size());
}

int listen(baton_context* context, const char* name, std::size_t size, std::uint32_t flags) {
  if (!is_name(name, size) || (flags & ~std::uint32_t{BATON_LISTEN_ANNOUNCE}) != 0)
    return BATON_NET_INVALID;
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.listen(own, {name, size}, (flags & BATON_LISTEN_ANNOUNCE) != 0);
  });
}
int unlisten(baton_context* context, const char* name, std::size_t size) {
  if (!is_name(name, size)) return BATON_NET_INVALID;
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.unlisten(own, {name, size});
  });
}
int address(baton_context* context, const char* name, std::size_t size, char* text,
            std::size_t capacity) {
  if (!is_name(name, size)) return BATON_NET_INVALID;
  return guarded(context, [&](Net& net, runtime::Context&) {
    const auto listener = net.listener({name, size});
    return listener != nullptr ? write_address(listener->address(), text, capacity)
                               : int{BATON_NET_CLOSED};
  });
}
int controlling_process(baton_context* context, baton_term port, baton_term pid) {
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.controlling_process(own, port, pid);
  });
}
int set_active(baton_context* context, baton_term port, std::int32_t count) {
  return guarded(context,
                 [&](Net& net, runtime::Context& own) { return net.set_active(own, port, count); });
}
std::int64_t send(baton_context* context, baton_term port, const void* bytes, std::size_t size) {
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.send(own, port, {static_cast<const char*>(bytes), size});
  });
}
int shutdown(baton_context* context, baton_term port) {
  return guarded(context, [&](Net& net, runtime::Context& own) { return net.shutdown(own, port); });
}
int close(baton_context* context, baton_term port) {
  return guarded(context, [&](Net& net, runtime::Context& own) { return net.close(own, port); });
}
int account(baton_context* context, baton_term port, std::uint64_t taken, std::uint64_t held) {
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.account(own, port, taken, held);
  });
}
int peer(baton_context* context, baton_term port, char* text, std::size_t capacity) {
  return guarded(context, [&](Net& net, runtime::Context&) {
    return write_address(net.peer(port), text, capacity);
  });
}

int respond(baton_context* context, baton_term port, std::int64_t request, int status,
            const baton_http_header* headers, std::size_t header_count, const void* body,
            std::size_t body_size) {
  return guarded(context, [&](Net& net, runtime::Context& own) {
    return net.respond(own, port, request, status, {headers, header_count},
                       {static_cast<const char*>(body), body_size});
  });
}

}  // namespace

const baton_tcp kTcpTable{.struct_size = sizeof(baton_tcp),
                          .flags = 0,
                          .listen = listen,
                          .unlisten = unlisten,
                          .address = address,
                          .controlling_process = controlling_process,
                          .set_active = set_active,
                          .send = send,
                          .shutdown = shutdown,
                          .close = close,
                          .peer = peer,
                          .account = account};

const baton_http kHttpTable{.struct_size = sizeof(baton_http), .flags = 0, .respond = respond};

}  // namespace baton::net
