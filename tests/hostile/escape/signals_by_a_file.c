// Has the kernel signal the host whenever there is something to read.

#include "escape.h"

ATTEMPT(
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return 1;
    return fcntl(pair[0], F_SETOWN, dyno) < 0 || fcntl(pair[0], F_SETFL, O_ASYNC) < 0 || write(pair[1], "x", 1) < 0;);
