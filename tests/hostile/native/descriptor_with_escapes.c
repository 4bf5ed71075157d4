// Its descriptor names a benchmark that would clear the terminal of whoever lists it.

#include "hostile.h"

DYNO_DESCRIPTOR("{\"schema\":\"dyno.descriptor/1\",\"plugin\":{\"id\":\"escapes\",\"version\":\"1.0.0\"},"
                "\"abi\":{\"kind\":\"native\",\"version\":1,\"layout_hash\":\"" DYNO_LAYOUT_HASH_TEXT "\"},"
                "\"benchmarks\":[{\"name\":\"\\u001b[2Jgone\",\"hardware\":[\"cpu\"]}]}");
BENCHMARK();
PLUGIN;
