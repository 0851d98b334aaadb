/* What the versions of plain_c differ in: 1.0.0 has neither init nor fini. */
#pragma once

#include <baton/abi.h>

#define PLAIN_C_VERSION "1.0.0"
#define PLAIN_C_INIT NULL
#define PLAIN_C_FINI NULL
