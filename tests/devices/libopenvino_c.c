// Stands in for the C library of OpenVINO: a processor and an NPU.

#include <stddef.h>

struct version {
    const char *build;
    const char *description;
};
struct available {
    char **names;
    size_t count;
};

int ov_get_openvino_version(struct version *version);
int ov_core_create(void **core);
int ov_core_get_available_devices(void *core, struct available *devices);

static char cpu[] = "CPU";
static char npu[] = "NPU";
static char *names[] = {cpu, npu};

int ov_get_openvino_version(struct version *version) {
    version->build = "2025.4.0";
    version->description = "OpenVINO Runtime";
    return 0;
}

int ov_core_create(void **core) {
    *core = names;
    return 0;
}

int ov_core_get_available_devices(void *core, struct available *devices) {
    devices->names = core;
    devices->count = 2;
    return 0;
}
