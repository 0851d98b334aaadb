// Baton: what every module includes.
//
//   term.h         looking at values           codec.h     how C++ types travel as terms
//   describe.h     BATON_MESSAGE, BATON_ENUM   state.h     BATON_STATE and what survives an upgrade
//   self.h         what a process can do       task.h      awaiting inside a callback
//   gen_server.h   a process with a state      process.h   a process as a loop that receives
//   child.h        starting one under a        module.h    BATON_MODULE
//                  supervisor                  temporary.h what may be made beside co_await
//   message_note.h messages of older versions  message_hook.h  in code, where that is needed
//
// A module that serves connections includes tcp.h or http.h as well. One in C includes abi.h, and
// net.h, interval.h or mail.h for what it asks the host for by name.
//
// Start with modules/factorial (a gen_server) and modules/pingpong (coroutine processes).
#pragma once

#include <baton/module.h>
