// Asks for a core file and crashes: none may be left behind.

#include "hostile.h"

SETUP {
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &none);
    abort();
}

HOSTILE(.setup = setup);
