// Stands in for the library of the NVIDIA driver where a test needs one that is old, broken, or there at all.
// VERSION, INIT, COUNT: what it says. CRASH: it does not get that far. SPIES: its first card is called after what it may do.

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION 12040
#endif
#ifndef INIT
#define INIT 0
#endif
#ifndef COUNT
#define COUNT 2
#endif

#ifdef CRASH
__attribute__((constructor)) static void crash(void) { abort(); }
#endif

int cuInit(unsigned flags);
int cuDriverGetVersion(int *version);
int cuDeviceGetCount(int *count);
int cuDeviceGet(int *device, int index);
int cuDeviceGetName(char *name, int length, int device);
int cuDeviceTotalMem_v2(size_t *bytes, int device);
int cuDeviceGetAttribute(int *value, int attribute, int device);
int cuDeviceGetPCIBusId(char *bus, int length, int device);

int cuInit(unsigned flags) { return flags == 0 ? INIT : 1; }

int cuDriverGetVersion(int *version) {
    *version = VERSION;
    return 0;
}

int cuDeviceGetCount(int *count) {
    *count = COUNT;
    return 0;
}

int cuDeviceGet(int *device, int index) {
    *device = index;
    return 0;
}

int cuDeviceGetName(char *name, int length, int device) {
#ifdef SPIES
    const char *first = open("/etc/passwd", O_RDONLY) < 0 ? "Blind Card" : "Spying Card";
#else
    const char *first = "First Card";
#endif
    strncpy(name, device == 0 ? first : "Second Card", (size_t)length);
    return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) {
    *bytes = (size_t)(device + 1) << 30;
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : attribute == 13 ? 1980000 : 0;
    return device >= 0 && (attribute == 76 || *value > 0) ? 0 : 1;
}

int cuDeviceGetPCIBusId(char *bus, int length, int device) {
    strncpy(bus, device == 0 ? "0000:0A:00.0" : "0000:0B:00.0", (size_t)length);
    return 0;
}
