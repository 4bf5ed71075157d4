// Reports a progress that is no number, one that is too large, and a log level that does not exist: no fault, as long
// as they do not break the protocol.

#include "hostile.h"

SETUP {
    host->progress(host->context, NAN);
    host->progress(host->context, 1e300);
    host->progress(host->context, -INFINITY);
    host->log(host->context, 4000000000u, DYNO_STR("no such level"));
    host->log(host->context, DYNO_LOG_INFO, (DynoStr){NULL, 0});
    host->log(host->context, DYNO_LOG_INFO, DYNO_STR("not UTF-8: \xff\xfe"));
    THEN_GOOD_SETUP;
}

HOSTILE(.setup = setup);
