// Makes a socket of the kernel.

#include "escape.h"

ATTEMPT(return socket(AF_NETLINK, SOCK_RAW, 0) < 0;);
