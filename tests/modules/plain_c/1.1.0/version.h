/* What the versions of plain_c differ in: 1.1.0 has an init that does not return. */
#pragma once

#include <baton/abi.h>

#define PLAIN_C_VERSION "1.1.0"
#define PLAIN_C_INIT never_init
#define PLAIN_C_FINI NULL

static int never_init(const baton_host* host, baton_error* error) {
  (void)host, (void)error;
  for (volatile int forever = 1; forever != 0;) {
  }
  return 0;
}
