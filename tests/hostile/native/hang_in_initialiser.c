// Never finishes loading.

#include "hostile.h"

__attribute__((constructor)) static void initialise(void) {
    for (;;) pause();
}

HOSTILE();
