// Removes the file that it was loaded from: a private copy, so nobody else misses it.

#include "hostile.h"

#include <dlfcn.h>

SETUP {
    Dl_info info;
    if (dladdr((void *)dyno_plugin_v1, &info) && info.dli_fname) {
        unlink(info.dli_fname);
    }
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
