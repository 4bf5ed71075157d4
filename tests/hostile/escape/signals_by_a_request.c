// The same by a request to a socket.

#include "escape.h"

#include <sys/ioctl.h>

ATTEMPT(
    int pair[2];
    int owner = dyno;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return 1;
    return ioctl(pair[0], FIOSETOWN, &owner) < 0;);
