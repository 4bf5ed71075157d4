// Makes a system call that workers refuse, and goes on without what it wanted.

#include "hostile.h"

#include <sys/socket.h>

SETUP {
    socket(AF_INET, SOCK_STREAM, 0);
    THEN_GOOD_SETUP;
}
HOSTILE(.setup = setup);
