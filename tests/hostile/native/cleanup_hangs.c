// Measures well and never finishes cleaning up.

#include "hostile.h"

CLEANUP {
    for (;;) pause();
}

HOSTILE(.cleanup = cleanup);
