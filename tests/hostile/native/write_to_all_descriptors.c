// Writes garbage to every descriptor but the standard streams, in case the channel is among them, and to standard
// input in case it is there.

#include "hostile.h"

SETUP {
    static const char garbage[] = "{\"reply\":\"finished\",\"peak_memory_bytes\":0} this is no frame at all";
    for (int fd = 0; fd < 1024; fd++) {
        if (fd != 1 && fd != 2) (void)!write(fd, garbage, sizeof garbage - 1);
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
