// Writes to standard output without end.

#include "hostile.h"

EXECUTE {
    static const char line[] = "a line of a flood that never ends, to see who stores all of it\n";
    for (;;) (void)!write(1, line, sizeof line - 1);
}

HOSTILE(.execute = execute);
