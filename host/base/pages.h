// Pages: memory made present before it is used.
//
// Fresh memory costs a page fault for every page at its first use, and on a virtual machine a fault
// can cost more than the work that touches the page. Where much of it is about to be used, one call
// makes all the pages.
#pragma once

#include <cstddef>

namespace baton {

/// Makes the pages of `memory` present and writable; what they hold is not changed. Only a hint:
/// where the kernel cannot (before Linux 5.14), each page comes at its first use. Any thread.
void populate(void* memory, std::size_t bytes);

}  // namespace baton
