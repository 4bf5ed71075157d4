// Works on a GPU that is gone when it is needed.

#define HARDWARE "cuda"

#include "hostile.h"

SETUP { return dyno_fail(host, "CUDA error 101: invalid device ordinal"); }

HOSTILE(.setup = setup);
