// Ends the thread on which it is called.

#include <pthread.h>

#include "hostile.h"

EXECUTE {
    pthread_exit(NULL);
    return DYNO_OK;
}

HOSTILE(.execute = execute);
