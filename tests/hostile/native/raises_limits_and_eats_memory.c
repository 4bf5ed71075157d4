// Lifts every limit that it is allowed to lift, then takes memory until there is none to be had.

#include "hostile.h"

SETUP {
    const size_t piece = 16 << 20;
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    for (int limit = 0; limit < 16; limit++) setrlimit(limit, &none);
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
