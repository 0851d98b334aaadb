// Tables: the functions of baton/net.h, over those of the Net that keeps the context's ports.
//
// Threads: constants.
#pragma once

#include <baton/net.h>

namespace baton::net {

extern const baton_tcp kTcpTable;
extern const baton_http kHttpTable;

}  // namespace baton::net
