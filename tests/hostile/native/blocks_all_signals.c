// Blocks every signal that can be blocked, and handles those that can be handled.

#include "hostile.h"

static void ignore(int number) { (void)number; }

EXECUTE {
    sigset_t all;
    sigfillset(&all);
    for (int number = 1; number < 65; number++) signal(number, ignore);
    sigprocmask(SIG_SETMASK, &all, NULL);
    volatile int go_on = 1;
    while (go_on) {}
    return DYNO_OK;
}

HOSTILE(.execute = execute);
