// Ends the process, politely, while it is loaded.

#include "hostile.h"

__attribute__((constructor)) static void initialise(void) { _exit(0); }

HOSTILE();
