// A `setup` that starts a thread which computes for as long as the process lives.

#include <pthread.h>

#include "hostile.h"

static void *spin(void *unused) {
    for (;;) __asm__ volatile("");
    return unused;
}

SETUP {
    pthread_t thread;
    if (pthread_create(&thread, NULL, spin, NULL) != 0) return dyno_fail(host, "no thread could be started");
    pthread_detach(thread);
    THEN_GOOD_SETUP;
}
