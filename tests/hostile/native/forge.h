// For faults that write to the worker's channel themselves.

#include "hostile.h"

#include <sys/stat.h>

// The worker's channel to the host; -1 where it is not found.
static UNUSED int the_channel(void) {
    struct stat about;
    for (int fd = 3; fd < 64; fd++) {
        if (!fstat(fd, &about) && S_ISSOCK(about.st_mode)) return fd;
    }
    return -1;
}

// Writes a log message of so many characters to the channel, past the worker.
static UNUSED void forge_log(int channel, size_t length) {
    static const char head[] = "{\"reply\":\"log\",\"level\":\"info\",\"text\":\"", tail[] = "\"}";
    size_t total = sizeof head - 1 + length + sizeof tail - 1;
    char *frame = malloc(4 + total);
    if (!frame) return;
    uint32_t announced = (uint32_t)total;
    memcpy(frame, &announced, 4);
    memcpy(frame + 4, head, sizeof head - 1);
    memset(frame + 4 + sizeof head - 1, 'x', length);
    memcpy(frame + 4 + sizeof head - 1 + length, tail, sizeof tail - 1);
    for (size_t sent = 0; sent < 4 + total;) {
        ssize_t count = write(channel, frame + sent, 4 + total - sent);
        if (count <= 0) break;
        sent += (size_t)count;
    }
    free(frame);
}
