// Writes over the file that it was loaded from: the bytes that the host verified must stay what they were.

#include "hostile.h"

#include <dlfcn.h>

SETUP {
    Dl_info info;
    if (dladdr((void *)dyno_plugin_v1, &info) && info.dli_fname) {
        int fd = open(info.dli_fname, O_WRONLY);
        if (fd >= 0) {
            (void)!pwrite(fd, "gone", 4, 0);
            close(fd);
        }
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
