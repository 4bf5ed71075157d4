// Measures well and crashes at the end.

#include "hostile.h"

CLEANUP { *(volatile int *)8 = 1; }

HOSTILE(.cleanup = cleanup);
