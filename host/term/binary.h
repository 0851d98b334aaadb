// Binary: the life of a baton_binary, bytes that several messages share.
//
// Ownership: counted; new_binary gives the caller one reference, and each SHARED header in a block
//            holds one.
// Threads:   any.
#pragma once

#include <baton/abi.h>

#include <cstddef>

namespace baton::term {

/// With one reference for the caller. Null if there is no memory for it.
baton_binary* new_binary(std::size_t size);
void retain(baton_binary* binary);
/// Frees it with the last reference.
void release(baton_binary* binary);
/// Gives up the references that this block's SHARED headers hold, as must be done once, before the
/// block's memory is freed or used again.
void release_shared(baton_message* message);

}  // namespace baton::term
