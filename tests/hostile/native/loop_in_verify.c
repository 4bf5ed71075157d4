// Never finishes checking.

#include "hostile.h"

static int32_t verify(UNUSED void *instance) {
    volatile int go_on = 1;
    while (go_on) {}
    return DYNO_OK;
}

HOSTILE(.verify = verify);
