// Looks for a file or a socket that the worker inherited, besides its channel.

#include "escape.h"

ATTEMPT(
    int channels = 0;
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        char path[64];
        char target[256];
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = 0;
        int mode = fcntl(descriptor, F_GETFL) & O_ACCMODE;
        // Its own memory, its own folder in /proc, and what it may not write to.
        int harmless = mode == O_RDONLY || strncmp(target, "/memfd:", 7) == 0 || strncmp(target, "/proc/", 6) == 0;
        if (strncmp(target, "socket:", 7) == 0) channels++;
        else if (!harmless) return 0;
    }
    // The channel is there to read from and to write to.
    errno = EBADF;
    return channels <= 2;
);
