// Copies of the worker take memory, each less than it may: 16 of 32 MiB.

#include "hostile.h"

SETUP {
    const size_t piece = 32 << 20;
    for (int copy = 0; copy < 16; copy++) {
        if (fork() != 0) continue;
        char *memory = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) memset(memory, 1, piece);
        for (;;) pause();
    }
    // Time enough for all of them; a worker that lives on then is a good one.
    sleep(2);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
