// Takes memory and touches it, without end.

#include "hostile.h"

SETUP {
    const size_t piece = 16 << 20;
    for (;;) {
        char *memory = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) memset(memory, 1, piece);
        usleep(1000);
    }
}

HOSTILE(.setup = setup);
