// Logs one line of 64 MB, longer than a frame of the protocol may be: no fault, as long as it is cut.

#include "hostile.h"

SETUP {
    size_t length = 64 << 20;
    char *line = malloc(length);
    if (!line) return DYNO_ERROR;
    memset(line, 'x', length);
    DynoStr text = {(const uint8_t *)line, length};
    host->log(host->context, DYNO_LOG_INFO, text);
    free(line);
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
