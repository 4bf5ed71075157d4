// Lets a child take the memory, which is not the worker's own then.

#include "hostile.h"

SETUP {
    const size_t piece = 16 << 20;
    // Bounded to a gibibyte, for the sake of the machine.
    if (fork() == 0) {
        for (int i = 0; i < 64; i++) {
            char *memory = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory != MAP_FAILED) memset(memory, 1, piece);
            usleep(1000);
        }
        for (;;) pause();
    }
    for (;;) pause();
}

HOSTILE(.setup = setup);
