// Crashes while it is loaded, before anything is called. A host that loads to list would die here.

#include "hostile.h"

__attribute__((constructor)) static void initialise(void) { *(volatile int *)8 = 1; }

HOSTILE();
