// Says that the machine has no disk left, so that its own failure would be nobody's.

#include "hostile.h"

static void send_frame(int fd, const char *json) {
    uint32_t length = (uint32_t)strlen(json);
    (void)!write(fd, &length, sizeof length);
    (void)!write(fd, json, length);
}

__attribute__((constructor)) static void early(void) {
    for (int fd = 0; fd < 64; fd++) {
        if (fd == 1 || fd == 2) continue;
        send_frame(fd, "{\"reply\":\"host_failed\",\"doing\":\"cannot write\",\"code\":28,\"said\":\"full\"}");
    }
}

HOSTILE();
