// Looks for the channel and writes well-formed answers of its own: samples that were never taken.

#include "hostile.h"

static void send_frame(int fd, const char *json) {
    uint32_t length = (uint32_t)strlen(json);
    (void)!write(fd, &length, sizeof length);
    (void)!write(fd, json, length);
}

SETUP {
    for (int fd = 0; fd < 64; fd++) {
        if (fd == 1 || fd == 2) continue;
        send_frame(fd, "{\"reply\":\"batch\",\"samples\":[{\"iterations\":1,\"wall_ns\":1,\"cpu_ns\":1}]}");
        send_frame(fd, "{\"reply\":\"finished\",\"peak_memory_bytes\":18446744073709551615}");
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
