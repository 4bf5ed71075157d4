// Waits in the kernel for a byte that never comes.

#include "hostile.h"

SETUP {
    int ends[2];
    char byte;
    if (pipe(ends) == 0) (void)!read(ends[0], &byte, 1);
    return DYNO_OK;
}

HOSTILE(.setup = setup);
