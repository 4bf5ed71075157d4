// Closes everything, the channel to the host included.

#include "hostile.h"

SETUP {
    for (int fd = 0; fd < 1024; fd++) close(fd);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
