// Successor: whether a release can take over from an earlier one, as far as their modules' notes
// say it: asked when it is packed, so that it does not fail at night on the host.
//
// Threads: pure; any thread.
// Fails:   kRefused with every reason: a state that nothing leads to, or, unless the later release
//          says what becomes of it (`mail`), a message that cannot be converted or told apart from
//          another. The note parser's error, for a note that cannot be read.
#pragma once

#include "bundle/manifest.h"

namespace baton::bundle {

Result<void> check_successor(const Manifest& before, const Manifest& after);

}  // namespace baton::bundle
