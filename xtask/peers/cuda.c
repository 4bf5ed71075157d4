/* The peer of `copy` and `launch` of cuda-kernels: plain calls of the CUDA driver, opened at run time, so that no
   toolkit is needed to compile this. Prints the median time by events.
   usage: cuda copy BYTES | cuda launch REPEATS */
#include <dlfcn.h>

#include "peer.h"

typedef unsigned long long pointer;
enum { OK = 0, MAPPED = 2, REPEATS = 51 };

/* An empty kernel, and one that keeps the device busy until the host writes a 1: what is put into the stream behind it
   starts without waiting for the host, as in nvbench. */
static const char *PTX =
    ".version 6.3\n.target sm_75\n.address_size 64\n"
    ".visible .entry empty()\n{\n ret;\n}\n"
    ".visible .entry block(.param .u64 flag)\n{\n"
    " .reg .pred %q;\n .reg .u32 %v;\n .reg .u64 %a;\n"
    " ld.param.u64 %a, [flag];\n cvta.to.global.u64 %a, %a;\n"
    "LOOP:\n ld.volatile.global.u32 %v, [%a];\n setp.eq.u32 %q, %v, 0;\n @%q bra LOOP;\n ret;\n}\n";

static void *library;

static void check(int answer, const char *call) {
    if (answer == OK) return;
    fprintf(stderr, "%s failed with CUDA error %d\n", call, answer);
    exit(1);
}

static void *find(const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "the driver has no %s\n", name);
        exit(1);
    }
    return found;
}

/* Calls a function of the driver by name. */
#define CALL(NAME, TYPES, ...) check((*(int(*) TYPES)find(#NAME)) (__VA_ARGS__), #NAME)

static void *stream, *start, *end;

static void note(void *event) { CALL(cuEventRecord, (void *, void *), event, stream); }

static double between_ns(void) {
    float milliseconds = 0;
    CALL(cuEventSynchronize, (void *), end);
    CALL(cuEventElapsedTime, (float *, void *, void *), &milliseconds, start, end);
    return 1e6 * (double)milliseconds;
}

static void run_kernel(void *function, void **arguments) {
    CALL(cuLaunchKernel,
         (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **),
         function, 1, 1, 1, 1, 1, 1, 0, stream, arguments, NULL);
}

static void print_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    printf("{\"ns_per_iteration\": %.3f}\n", values[count / 2]);
}

static void copy(size_t bytes) {
    static double values[REPEATS];
    pointer from, to;
    CALL(cuMemAlloc_v2, (pointer *, size_t), &from, bytes);
    CALL(cuMemAlloc_v2, (pointer *, size_t), &to, bytes);
    CALL(cuMemsetD8_v2, (pointer, unsigned char, size_t), from, 1, bytes);
    for (int i = -5; i < REPEATS; i++) {
        note(start);
        for (int again = 0; again < 10; again++) {
            CALL(cuMemcpyDtoDAsync_v2, (pointer, pointer, size_t, void *), to, from, bytes, stream);
        }
        note(end);
        double time = between_ns() / 10;
        if (i >= 0) values[i] = time;
    }
    print_median(values, REPEATS);
}

static void launches(int repeats) {
    void *module, *empty, *block;
    unsigned *flag;
    pointer on_device;
    double *values = memory(sizeof *values * (size_t)repeats);
    CALL(cuModuleLoadData, (void **, const void *), &module, PTX);
    CALL(cuModuleGetFunction, (void **, void *, const char *), &empty, module, "empty");
    CALL(cuModuleGetFunction, (void **, void *, const char *), &block, module, "block");
    CALL(cuMemHostAlloc, (void **, size_t, unsigned), (void **)&flag, sizeof *flag, MAPPED);
    CALL(cuMemHostGetDevicePointer_v2, (pointer *, void *, unsigned), &on_device, flag, 0);
    void *arguments[] = {&on_device};
    for (int i = -5; i < repeats; i++) {
        *(volatile unsigned *)flag = 0;
        run_kernel(block, arguments);
        note(start);
        run_kernel(empty, NULL);
        note(end);
        *(volatile unsigned *)flag = 1;
        double time = between_ns();
        if (i >= 0) values[i] = time;
    }
    print_median(values, repeats);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: cuda copy BYTES | cuda launch REPEATS\n");
        return 2;
    }
    library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int device;
    void *context;
    CALL(cuInit, (unsigned), 0);
    CALL(cuDeviceGet, (int *, int), &device, 0);
    CALL(cuDevicePrimaryCtxRetain, (void **, int), &context, device);
    CALL(cuCtxSetCurrent, (void *), context);
    CALL(cuStreamCreate, (void **, unsigned), &stream, 1);
    CALL(cuEventCreate, (void **, unsigned), &start, 0);
    CALL(cuEventCreate, (void **, unsigned), &end, 0);
    long long size = atoll(arguments[2]);
    if (size <= 0) return 2;
    if (strcmp(arguments[1], "copy") == 0) copy((size_t)size);
    else launches((int)size);
    return 0;
}
