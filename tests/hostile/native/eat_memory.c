// Takes memory and touches it, until there is none to be had.

#include "hostile.h"

SETUP {
    const size_t piece = 16 << 20;
    for (;;) {
        char *memory = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            perror("mmap");
            abort();
        }
        memset(memory, 1, piece);
        usleep(1000);
    }
}

HOSTILE(.setup = setup);
