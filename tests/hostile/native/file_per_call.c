// Writes a file in every timed call and leaves it there, at most 500 of them.

#include "hostile.h"

EXECUTE {
    static int written;
    if (written < 500) {
        char name[32];
        snprintf(name, sizeof name, "left-%d.txt", written++);
        FILE *file = fopen(name, "w");
        if (file != NULL) {
            fputs("a result that nobody reads\n", file);
            fclose(file);
        }
    }
    return good_execute(instance, iterations, report);
}

HOSTILE(.execute = execute);
