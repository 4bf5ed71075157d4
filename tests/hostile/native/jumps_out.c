// Jumps out of `execute` into a frame that is long gone.

#include <setjmp.h>

#include "hostile.h"

static jmp_buf gone;
static int jumped;

__attribute__((noinline)) static void remember(void) {
    if (setjmp(gone) != 0) {
        jumped++;
        // Where this returns to is anyone's guess: the frame belongs to nobody.
    }
}

SETUP {
    remember();
    THEN_GOOD_SETUP;
}

EXECUTE {
    if (jumped > 100) abort();
    longjmp(gone, 1);
}

HOSTILE(.setup = setup, .execute = execute);
