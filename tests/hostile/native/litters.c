// Leaves files in its working directory and turns it read-only.

#include <sys/stat.h>

#include "hostile.h"

SETUP {
    int fd = open("litter", O_CREAT | O_WRONLY, 0600);
    if (fd >= 0) close(fd);
    mkdir("a", 0700);
    mkdir("a/b", 0700);
    fd = open("a/b/litter", O_CREAT | O_WRONLY, 0400);
    if (fd >= 0) close(fd);
    chmod("a/b", 0500);
    chmod("a", 0500);
    umask(0);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
