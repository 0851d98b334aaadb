// What the versions of toil differ in.
#pragma once

#define TOIL_VERSION "1.1.0"
