// Writes what would confuse a terminal: no fault, as long as nobody passes it on as it is.

#include "hostile.h"

SETUP {
    static const char text[] = "\x1b]0;title\x07\x1b[2J\xff\xfe\0zero\nunfinished";
    (void)!write(1, text, sizeof text - 1);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
