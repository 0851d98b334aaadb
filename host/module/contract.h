// Contract: what the new version of a module does to those who send it messages.
//
// The contract stands in the note: per behaviour the messages that it takes, their members and the
// reply. A client of the version before, which may be a process of another module or mail that is
// queued already, is hurt by a break; an addition hurts nobody.
//
//   change                                              is
//   a behaviour or a message is gone                    break
//   a member of a message is gone, new or of a type     break
//   that does not take all that it took
//   a member of a message takes more (i32 -> i64)       addition
//   the reply is of another type                        break
//   a behaviour or a message is new                     addition
//
// Threads: pure; any thread.
#pragma once

#include "module/note.h"

#include <string>
#include <vector>

namespace baton::module {

struct ContractChange {
  std::string behaviour;
  std::string message;                    // empty: the whole behaviour
  std::string text;                       // "call increment: member by: i64 -> string"
  MessageKind kind = MessageKind::kInfo;  // of the message
  bool is_reply = false;                  // it is about the message's reply
};

struct ContractDifference {
  std::vector<ContractChange> breaks;
  std::vector<ContractChange> additions;
};

/// From the version that clients know to the one they will meet.
ContractDifference compare_contracts(const ModuleNote& from, const ModuleNote& to);

}  // namespace baton::module
