// A benchmark of models, of which it describes two.

#define NAME "zoo"
#include "../hostile/native/hostile.h"

DYNO_DESCRIPTOR(DYNO_JSON({
    "schema": "dyno.descriptor/1",
    "plugin": {"id": NAME, "version": VERSION},
    "abi": {"kind": "native", "version": 1, "layout_hash": LAYOUT_IN_DESCRIPTOR},
    "benchmarks": [{
        "name": NAME, "hardware": ["cpu", "webnn"], "category": "inference",
        "models": ["bert-tiny", "vit", "other"],
        "model_details": [
            {"name": "bert-tiny", "family": "bert", "modality": "text", "parameters": 4385920,
             "tags": ["critical"], "precisions": ["fp32"]},
            {"name": "vit", "family": "vit", "modality": "image", "tags": ["low"]}
        ],
        "params": [
            {"name": "model", "type": "enum", "default": "other", "choices": ["bert-tiny", "vit", "other"]},
            {"name": "batch_size", "type": "integer", "default": 1}
        ]
    }]
}));
BENCHMARK(.cleanup = good_cleanup);
PLUGIN;
