// Makes a socket of the network.

#include "escape.h"

ATTEMPT(return socket(AF_INET, SOCK_STREAM, 0) < 0;);
