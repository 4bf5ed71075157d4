// Works on a GPU of which there are two, and is content only when another launch of the same run works on the other one
// at the same time. The names that they meet under are those of their host and device.

#define HARDWARE "cuda"

#include "hostile.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name_of(struct sockaddr_un *address, unsigned index) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "dyno-test-%d-%u", (int)getppid(), index);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

SETUP {
    struct sockaddr_un address;
    int ours = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = name_of(&address, host->device->index);
    if (ours < 0 || bind(ours, (struct sockaddr *)&address, length) != 0 || listen(ours, 4) != 0)
        return dyno_fail(host, "this device is in use by another launch");
    length = name_of(&address, 1 - host->device->index);
    int met = 0;
    for (int tries = 0; tries < 2000 && !met; tries++) {
        int theirs = socket(AF_UNIX, SOCK_STREAM, 0);
        met = connect(theirs, (struct sockaddr *)&address, length) == 0;
        if (!met) {
            close(theirs);
            usleep(10000);
        }
    }
    // Not before the neighbour has been here, too.
    if (!met || accept(ours, NULL, NULL) < 0) return dyno_fail(host, "nobody works on the other device");
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
