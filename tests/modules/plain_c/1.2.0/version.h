/* What the versions of plain_c differ in: 1.2.0 has a fini that does not return. */
#pragma once

#include <baton/abi.h>

#define PLAIN_C_VERSION "1.2.0"
#define PLAIN_C_INIT NULL
#define PLAIN_C_FINI never_fini

static void never_fini(void) {
  for (volatile int forever = 1; forever != 0;) {
  }
}
