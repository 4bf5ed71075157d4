// Starts a thread in every timed call that is never joined. It only sleeps, and there are at most 300.

#include <pthread.h>

#include "hostile.h"

static void *sleep_on(void *unused) {
    for (;;) pause();
    return unused;
}

EXECUTE {
    static int started;
    if (started < 300) {
        pthread_t thread;
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 64 * 1024);
        if (pthread_create(&thread, &small, sleep_on, NULL) == 0) {
            pthread_detach(thread);
            started++;
        }
        pthread_attr_destroy(&small);
    }
    return good_execute(instance, iterations, report);
}

HOSTILE(.execute = execute);
