// Makes a socket for a service of this machine.

#include "escape.h"

ATTEMPT(return socket(AF_UNIX, SOCK_STREAM, 0) < 0;);
