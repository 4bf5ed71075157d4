// Writes one line without end: splitting into lines must not store it.

#include "hostile.h"

EXECUTE {
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    for (;;) (void)!write(2, piece, sizeof piece);
}

HOSTILE(.execute = execute);
