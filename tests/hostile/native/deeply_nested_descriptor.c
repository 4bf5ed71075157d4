// Its descriptor nests a hundred thousand arrays: a parser that recurses without a limit dies of it.

#include "hostile.h"

#define TEN(x) x x x x x x x x x x

DYNO_DESCRIPTOR("{\"schema\":" TEN(TEN(TEN(TEN(TEN("["))))));
BENCHMARK();
PLUGIN;
