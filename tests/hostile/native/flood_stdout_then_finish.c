// Writes 10 MB and goes on as if nothing had been: no fault, as long as the output is bounded.

#include "hostile.h"

SETUP {
    char line[100];
    memset(line, 'x', sizeof line);
    line[99] = '\n';
    for (int i = 0; i < 100000; i++) {
        size_t sent = 0;
        while (sent < sizeof line) {
            ssize_t count = write(1, line + sent, sizeof line - sent);
            if (count > 0) sent += (size_t)count;
        }
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
