// The contract between dyno and a native plugin, for C, C++ and CUDA. How to use it: sdk/c/README.md.
//
// Generated from plugin-api/src/abi.rs. Do not edit: `DYNO_BLESS=1 cargo test -p dyno-plugin-api` writes it anew.
//
// Rules that hold for every item here:
//
// * Structs are append-only. A struct that starts with `size` may be longer than the reader knows; fields past
//   `size` are absent. `DynoStr`, `DynoParam` and `DynoSample` have no `size` and never change.
// * Every function of a benchmark is called on one thread, never two at once. Functions of `DynoHost` may be
//   called from any thread, from the start of `setup` to the end of `cleanup`.
// * The side that passes a pointer owns its memory, which is valid until the call returns unless stated otherwise.
// * No exception and no `longjmp` crosses the boundary.


#ifndef DYNO_PLUGIN_H
#define DYNO_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The version of this ABI. It changes only when a plugin built for the last one could not run.
#define DYNO_ABI_VERSION 1

// The call succeeded.
#define DYNO_OK 0

// The call failed; the reason was passed to `DynoHost.fail`.
#define DYNO_ERROR 1

// This case cannot run here, which is not a failure; the reason was passed to `DynoHost.fail`.
#define DYNO_SKIPPED 2

// `DynoParam.integer` holds the value.
#define DYNO_PARAM_INTEGER 1

// `DynoParam.number` holds the value.
#define DYNO_PARAM_FLOAT 2

// `DynoParam.integer` holds the value: 0 for false, 1 for true.
#define DYNO_PARAM_BOOL 3

// `DynoParam.text` holds the value: a string, or one of the choices of an enum.
#define DYNO_PARAM_TEXT 4

// Level of a log line: something is wrong.
#define DYNO_LOG_ERROR 1

// Level of a log line: something may be wrong.
#define DYNO_LOG_WARN 2

// Level of a log line: worth knowing.
#define DYNO_LOG_INFO 3

// Level of a log line: details for debugging.
#define DYNO_LOG_DEBUG 4

// A piece of UTF-8 text: not terminated by a zero byte, and `ptr` may be null when `len` is 0.
typedef struct {
    // First byte.
    const uint8_t *ptr;
    // Length [bytes].
    size_t len;
} DynoStr;

// The device that a case runs on.
typedef struct {
    // Size of this struct [bytes].
    uint32_t size;
    // Number of the device among those of its kind, from 0.
    uint32_t index;
    // Name: a kind, or kind and number. // eg: "cpu", "cuda:0"
    DynoStr name;
    // How many threads the case may use [threads]; 0 when the device is not a CPU.
    uint32_t threads;
    // Always 0.
    uint32_t reserved;
} DynoDevice;

// What the host offers a plugin. Valid from the start of `setup` to the end of `cleanup`.
typedef struct {
    // Size of this struct [bytes].
    uint32_t size;
    // `DYNO_ABI_VERSION` of the host.
    uint32_t abi_version;
    // To be passed back as the first argument of every function of this table.
    void *context;
    // Seed of all random numbers in the case. With the same seed, the plugin must do the same work.
    uint64_t seed;
    // The device of the case.
    const DynoDevice *device;
    // Writes a line to the log of the launch. `level` is one of `DYNO_LOG_*`. [any thread]
    void (*log)(void *context, uint32_t level, DynoStr message);
    // Reports the progress of a long stage: `fraction` from 0 to 1. Not for `execute`. [any thread]
    void (*progress)(void *context, double fraction);
    // Whether the user has cancelled: 1, otherwise 0. A long stage should ask now and then, and return early. [any thread]
    uint32_t (*cancelled)(void *context);
    // Reports a metric that the descriptor declares; the last value of a name counts. [any thread]
    void (*metric)(void *context, DynoStr name, double value);
    // Gives the reason why the current call is about to return `DYNO_ERROR` or `DYNO_SKIPPED`. [any thread]
    void (*fail)(void *context, DynoStr message);
} DynoHost;

// One parameter of a case, of the type that the descriptor gives it and inside its range.
typedef struct {
    // Name, as in the descriptor.
    DynoStr name;
    // One of `DYNO_PARAM_*`: says which of the next fields holds the value.
    uint32_t kind;
    // Always 0.
    uint32_t reserved;
    // The value of an integer or a bool.
    int64_t integer;
    // The value of a float.
    double number;
    // The value of a string or an enum.
    DynoStr text;
} DynoParam;

// What one call of `execute` did, summed over all its iterations. The host passes it zeroed, with `size` set.
typedef struct {
    // Size of this struct [bytes].
    uint32_t size;
    // Always 0.
    uint32_t reserved;
    // Things processed [items]; 0 when not reported.
    double items;
    // Memory or data traffic that the work needs [bytes]; 0 when not reported.
    double bytes;
    // Floating-point operations that the work needs [FLOP]; 0 when not reported.
    double flop;
    // Time that the device itself measured [ns]; 0 when it cannot tell.
    double device_ns;
    // Anything computed from the output: keeps the optimiser honest and lets two builds be compared.
    uint64_t checksum;
} DynoReport;

// One timed call of `execute`, as `process_results` sees it.
typedef struct {
    // Iterations of the call.
    uint64_t iterations;
    // Wall time of the call [ns].
    uint64_t wall_ns;
} DynoSample;

// One benchmark of a plugin: `setup`, `verify`, then `prepare` and `execute` per sample, `process_results`, `cleanup`.
//
// Each function that returns `int32_t` returns one of `DYNO_OK`, `DYNO_ERROR`, `DYNO_SKIPPED`.
typedef struct {
    // Size of this struct [bytes].
    uint32_t size;
    // Always 0.
    uint32_t reserved;
    // Name, as in the descriptor.
    DynoStr name;
    // Makes an instance from `count` parameters (all that the descriptor declares, in its order) and stores it in
    // `instance`. `params` lives until `setup` returns, `host` until `cleanup` returns. Untimed.
    int32_t (*setup)(const DynoHost *host, const DynoParam *params, size_t count, void **instance);
    // Checks the output against an independent reference. Untimed; may be null.
    int32_t (*verify)(void *instance);
    // Makes fresh input for the next `execute`, which will do `iterations` iterations. Untimed; may be null.
    int32_t (*prepare)(void *instance, uint64_t iterations);
    // Does the work `iterations` times. The only timed call.
    int32_t (*execute)(void *instance, uint64_t iterations, DynoReport *report);
    // Derives metrics from the samples of the launch and reports them with `DynoHost.metric`. Untimed; may be null.
    int32_t (*process_results)(void *instance, const DynoSample *samples, size_t count);
    // Frees the instance. The host calls it once after each `setup` that returned `DYNO_OK`.
    void (*cleanup)(void *instance);
} DynoBenchmark;

// A plugin: what its entry function returns. Lives as long as the process.
typedef struct {
    // Size of this struct [bytes].
    uint32_t size;
    // `DYNO_ABI_VERSION` that the plugin was built for.
    uint32_t abi_version;
    // `DYNO_LAYOUT_HASH` that the plugin was built with.
    uint64_t layout_hash;
    // The descriptor: the same bytes as in the descriptor section of the file.
    DynoStr descriptor;
    // The benchmarks, in any order.
    const DynoBenchmark *const *benchmarks;
    // Length of `benchmarks`.
    size_t benchmark_count;
} DynoPlugin;

// The type of the exported function `dyno_plugin_v1`. It must do nothing but return the table.
typedef const DynoPlugin *(*DynoEntry)(void);

// The exported symbol of every native plugin: a function of type `DynoEntry`.
#define DYNO_ENTRY_SYMBOL "dyno_plugin_v1"

// ---------------------------------------------------------------------------------------------------------------
// The layout that this header describes. A plugin whose hash differs from the host's is refused with both hashes.

#if UINTPTR_MAX != 0xffffffffffffffffULL
#error "this dyno_plugin.h describes the layout on 64-bit targets"
#endif

// For `DynoPlugin.layout_hash`.
#define DYNO_LAYOUT_HASH 0x47cf47cbfc6655e5ULL
// For `abi.layout_hash` in the descriptor.
#define DYNO_LAYOUT_HASH_TEXT "0x47cf47cbfc6655e5"

#ifdef __cplusplus
#define DYNO_ASSERT(condition, message) static_assert(condition, message)
#define DYNO_ALIGNOF(type) alignof(type)
#else
#define DYNO_ASSERT(condition, message) _Static_assert(condition, message)
#define DYNO_ALIGNOF(type) _Alignof(type)
#endif

DYNO_ASSERT(sizeof(DynoStr) == 16, "size of DynoStr");
DYNO_ASSERT(DYNO_ALIGNOF(DynoStr) == 8, "alignment of DynoStr");
DYNO_ASSERT(offsetof(DynoStr, ptr) == 0, "offset of DynoStr.ptr");
DYNO_ASSERT(sizeof(((DynoStr *)0)->ptr) == 8, "size of DynoStr.ptr");
DYNO_ASSERT(offsetof(DynoStr, len) == 8, "offset of DynoStr.len");
DYNO_ASSERT(sizeof(((DynoStr *)0)->len) == 8, "size of DynoStr.len");
DYNO_ASSERT(sizeof(DynoParam) == 56, "size of DynoParam");
DYNO_ASSERT(DYNO_ALIGNOF(DynoParam) == 8, "alignment of DynoParam");
DYNO_ASSERT(offsetof(DynoParam, name) == 0, "offset of DynoParam.name");
DYNO_ASSERT(sizeof(((DynoParam *)0)->name) == 16, "size of DynoParam.name");
DYNO_ASSERT(offsetof(DynoParam, kind) == 16, "offset of DynoParam.kind");
DYNO_ASSERT(sizeof(((DynoParam *)0)->kind) == 4, "size of DynoParam.kind");
DYNO_ASSERT(offsetof(DynoParam, reserved) == 20, "offset of DynoParam.reserved");
DYNO_ASSERT(sizeof(((DynoParam *)0)->reserved) == 4, "size of DynoParam.reserved");
DYNO_ASSERT(offsetof(DynoParam, integer) == 24, "offset of DynoParam.integer");
DYNO_ASSERT(sizeof(((DynoParam *)0)->integer) == 8, "size of DynoParam.integer");
DYNO_ASSERT(offsetof(DynoParam, number) == 32, "offset of DynoParam.number");
DYNO_ASSERT(sizeof(((DynoParam *)0)->number) == 8, "size of DynoParam.number");
DYNO_ASSERT(offsetof(DynoParam, text) == 40, "offset of DynoParam.text");
DYNO_ASSERT(sizeof(((DynoParam *)0)->text) == 16, "size of DynoParam.text");
DYNO_ASSERT(sizeof(DynoDevice) == 32, "size of DynoDevice");
DYNO_ASSERT(DYNO_ALIGNOF(DynoDevice) == 8, "alignment of DynoDevice");
DYNO_ASSERT(offsetof(DynoDevice, size) == 0, "offset of DynoDevice.size");
DYNO_ASSERT(sizeof(((DynoDevice *)0)->size) == 4, "size of DynoDevice.size");
DYNO_ASSERT(offsetof(DynoDevice, index) == 4, "offset of DynoDevice.index");
DYNO_ASSERT(sizeof(((DynoDevice *)0)->index) == 4, "size of DynoDevice.index");
DYNO_ASSERT(offsetof(DynoDevice, name) == 8, "offset of DynoDevice.name");
DYNO_ASSERT(sizeof(((DynoDevice *)0)->name) == 16, "size of DynoDevice.name");
DYNO_ASSERT(offsetof(DynoDevice, threads) == 24, "offset of DynoDevice.threads");
DYNO_ASSERT(sizeof(((DynoDevice *)0)->threads) == 4, "size of DynoDevice.threads");
DYNO_ASSERT(offsetof(DynoDevice, reserved) == 28, "offset of DynoDevice.reserved");
DYNO_ASSERT(sizeof(((DynoDevice *)0)->reserved) == 4, "size of DynoDevice.reserved");
DYNO_ASSERT(sizeof(DynoHost) == 72, "size of DynoHost");
DYNO_ASSERT(DYNO_ALIGNOF(DynoHost) == 8, "alignment of DynoHost");
DYNO_ASSERT(offsetof(DynoHost, size) == 0, "offset of DynoHost.size");
DYNO_ASSERT(sizeof(((DynoHost *)0)->size) == 4, "size of DynoHost.size");
DYNO_ASSERT(offsetof(DynoHost, abi_version) == 4, "offset of DynoHost.abi_version");
DYNO_ASSERT(sizeof(((DynoHost *)0)->abi_version) == 4, "size of DynoHost.abi_version");
DYNO_ASSERT(offsetof(DynoHost, context) == 8, "offset of DynoHost.context");
DYNO_ASSERT(sizeof(((DynoHost *)0)->context) == 8, "size of DynoHost.context");
DYNO_ASSERT(offsetof(DynoHost, seed) == 16, "offset of DynoHost.seed");
DYNO_ASSERT(sizeof(((DynoHost *)0)->seed) == 8, "size of DynoHost.seed");
DYNO_ASSERT(offsetof(DynoHost, device) == 24, "offset of DynoHost.device");
DYNO_ASSERT(sizeof(((DynoHost *)0)->device) == 8, "size of DynoHost.device");
DYNO_ASSERT(offsetof(DynoHost, log) == 32, "offset of DynoHost.log");
DYNO_ASSERT(sizeof(((DynoHost *)0)->log) == 8, "size of DynoHost.log");
DYNO_ASSERT(offsetof(DynoHost, progress) == 40, "offset of DynoHost.progress");
DYNO_ASSERT(sizeof(((DynoHost *)0)->progress) == 8, "size of DynoHost.progress");
DYNO_ASSERT(offsetof(DynoHost, cancelled) == 48, "offset of DynoHost.cancelled");
DYNO_ASSERT(sizeof(((DynoHost *)0)->cancelled) == 8, "size of DynoHost.cancelled");
DYNO_ASSERT(offsetof(DynoHost, metric) == 56, "offset of DynoHost.metric");
DYNO_ASSERT(sizeof(((DynoHost *)0)->metric) == 8, "size of DynoHost.metric");
DYNO_ASSERT(offsetof(DynoHost, fail) == 64, "offset of DynoHost.fail");
DYNO_ASSERT(sizeof(((DynoHost *)0)->fail) == 8, "size of DynoHost.fail");
DYNO_ASSERT(sizeof(DynoReport) == 48, "size of DynoReport");
DYNO_ASSERT(DYNO_ALIGNOF(DynoReport) == 8, "alignment of DynoReport");
DYNO_ASSERT(offsetof(DynoReport, size) == 0, "offset of DynoReport.size");
DYNO_ASSERT(sizeof(((DynoReport *)0)->size) == 4, "size of DynoReport.size");
DYNO_ASSERT(offsetof(DynoReport, reserved) == 4, "offset of DynoReport.reserved");
DYNO_ASSERT(sizeof(((DynoReport *)0)->reserved) == 4, "size of DynoReport.reserved");
DYNO_ASSERT(offsetof(DynoReport, items) == 8, "offset of DynoReport.items");
DYNO_ASSERT(sizeof(((DynoReport *)0)->items) == 8, "size of DynoReport.items");
DYNO_ASSERT(offsetof(DynoReport, bytes) == 16, "offset of DynoReport.bytes");
DYNO_ASSERT(sizeof(((DynoReport *)0)->bytes) == 8, "size of DynoReport.bytes");
DYNO_ASSERT(offsetof(DynoReport, flop) == 24, "offset of DynoReport.flop");
DYNO_ASSERT(sizeof(((DynoReport *)0)->flop) == 8, "size of DynoReport.flop");
DYNO_ASSERT(offsetof(DynoReport, device_ns) == 32, "offset of DynoReport.device_ns");
DYNO_ASSERT(sizeof(((DynoReport *)0)->device_ns) == 8, "size of DynoReport.device_ns");
DYNO_ASSERT(offsetof(DynoReport, checksum) == 40, "offset of DynoReport.checksum");
DYNO_ASSERT(sizeof(((DynoReport *)0)->checksum) == 8, "size of DynoReport.checksum");
DYNO_ASSERT(sizeof(DynoSample) == 16, "size of DynoSample");
DYNO_ASSERT(DYNO_ALIGNOF(DynoSample) == 8, "alignment of DynoSample");
DYNO_ASSERT(offsetof(DynoSample, iterations) == 0, "offset of DynoSample.iterations");
DYNO_ASSERT(sizeof(((DynoSample *)0)->iterations) == 8, "size of DynoSample.iterations");
DYNO_ASSERT(offsetof(DynoSample, wall_ns) == 8, "offset of DynoSample.wall_ns");
DYNO_ASSERT(sizeof(((DynoSample *)0)->wall_ns) == 8, "size of DynoSample.wall_ns");
DYNO_ASSERT(sizeof(DynoBenchmark) == 72, "size of DynoBenchmark");
DYNO_ASSERT(DYNO_ALIGNOF(DynoBenchmark) == 8, "alignment of DynoBenchmark");
DYNO_ASSERT(offsetof(DynoBenchmark, size) == 0, "offset of DynoBenchmark.size");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->size) == 4, "size of DynoBenchmark.size");
DYNO_ASSERT(offsetof(DynoBenchmark, reserved) == 4, "offset of DynoBenchmark.reserved");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->reserved) == 4, "size of DynoBenchmark.reserved");
DYNO_ASSERT(offsetof(DynoBenchmark, name) == 8, "offset of DynoBenchmark.name");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->name) == 16, "size of DynoBenchmark.name");
DYNO_ASSERT(offsetof(DynoBenchmark, setup) == 24, "offset of DynoBenchmark.setup");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->setup) == 8, "size of DynoBenchmark.setup");
DYNO_ASSERT(offsetof(DynoBenchmark, verify) == 32, "offset of DynoBenchmark.verify");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->verify) == 8, "size of DynoBenchmark.verify");
DYNO_ASSERT(offsetof(DynoBenchmark, prepare) == 40, "offset of DynoBenchmark.prepare");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->prepare) == 8, "size of DynoBenchmark.prepare");
DYNO_ASSERT(offsetof(DynoBenchmark, execute) == 48, "offset of DynoBenchmark.execute");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->execute) == 8, "size of DynoBenchmark.execute");
DYNO_ASSERT(offsetof(DynoBenchmark, process_results) == 56, "offset of DynoBenchmark.process_results");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->process_results) == 8, "size of DynoBenchmark.process_results");
DYNO_ASSERT(offsetof(DynoBenchmark, cleanup) == 64, "offset of DynoBenchmark.cleanup");
DYNO_ASSERT(sizeof(((DynoBenchmark *)0)->cleanup) == 8, "size of DynoBenchmark.cleanup");
DYNO_ASSERT(sizeof(DynoPlugin) == 48, "size of DynoPlugin");
DYNO_ASSERT(DYNO_ALIGNOF(DynoPlugin) == 8, "alignment of DynoPlugin");
DYNO_ASSERT(offsetof(DynoPlugin, size) == 0, "offset of DynoPlugin.size");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->size) == 4, "size of DynoPlugin.size");
DYNO_ASSERT(offsetof(DynoPlugin, abi_version) == 4, "offset of DynoPlugin.abi_version");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->abi_version) == 4, "size of DynoPlugin.abi_version");
DYNO_ASSERT(offsetof(DynoPlugin, layout_hash) == 8, "offset of DynoPlugin.layout_hash");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->layout_hash) == 8, "size of DynoPlugin.layout_hash");
DYNO_ASSERT(offsetof(DynoPlugin, descriptor) == 16, "offset of DynoPlugin.descriptor");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->descriptor) == 16, "size of DynoPlugin.descriptor");
DYNO_ASSERT(offsetof(DynoPlugin, benchmarks) == 32, "offset of DynoPlugin.benchmarks");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->benchmarks) == 8, "size of DynoPlugin.benchmarks");
DYNO_ASSERT(offsetof(DynoPlugin, benchmark_count) == 40, "offset of DynoPlugin.benchmark_count");
DYNO_ASSERT(sizeof(((DynoPlugin *)0)->benchmark_count) == 8, "size of DynoPlugin.benchmark_count");

// ---------------------------------------------------------------------------------------------------------------
// Conveniences.

// Makes the entry function visible in the finished library, whatever the default visibility.
#if defined(_WIN32)
#define DYNO_EXPORT __declspec(dllexport)
#else
#define DYNO_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// The entry function that a plugin defines. It must do nothing but return the table.
DYNO_EXPORT const DynoPlugin *dyno_plugin_v1(void);

#ifdef __cplusplus
} // extern "C"
#endif

// A text as the initialiser of a `DynoStr`: for tables that are constants. Only for literals and arrays.
#define DYNO_STR_INIT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

// A text as a value of type `DynoStr`. Only for literals and arrays. // eg: host->log(ctx, DYNO_LOG_INFO, DYNO_STR("x"))
#ifdef __cplusplus
#define DYNO_STR(literal) (DynoStr DYNO_STR_INIT(literal))
#else
#define DYNO_STR(literal) ((DynoStr)DYNO_STR_INIT(literal))
#endif

// JSON written as it is, without quoting; `DYNO_LAYOUT_HASH_TEXT` and other macros in it are replaced. A file that
// includes <stdbool.h> before C23 must not write `true` or `false` in it, because there they are macros too.
#define DYNO_JSON(...) DYNO_JSON_TEXT(__VA_ARGS__)
#define DYNO_JSON_TEXT(...) #__VA_ARGS__

// How this file is compiled, as a word: "debug" without optimisation, else "release". The host marks the numbers of debug
// builds. Define it yourself where your compiler cannot be asked this way. // eg: -DDYNO_BUILD='"debug"'
#ifndef DYNO_BUILD
#if defined(__CUDACC_DEBUG__) || (defined(_MSC_VER) && defined(_DEBUG)) || \
    (defined(__GNUC__) && !defined(__OPTIMIZE__))
#define DYNO_BUILD "debug"
#else
#define DYNO_BUILD "release"
#endif
#endif

// Keeps a constant that nothing refers to: `used` from the compiler, `retain` from the linker's --gc-sections.
#if defined(__has_attribute) && defined(__ELF__)
#if __has_attribute(retain)
#define DYNO_KEPT_SECTION(name) __attribute__((used, retain, section(name)))
#endif
#endif
#ifndef DYNO_KEPT_SECTION
#define DYNO_KEPT_SECTION(name) __attribute__((used, section(name)))
#endif

// Places the descriptor, a string literal, in the section where the host looks for it without running anything.
// It becomes the array `dyno_descriptor`, for `DynoPlugin.descriptor`. Once per plugin, at file scope.
// In a section beside it stands `DYNO_BUILD`, which need not be written into the descriptor.
#if defined(_MSC_VER)
#define DYNO_DESCRIPTOR(json) \
    __pragma(section(".dynobld", read)) __declspec(allocate(".dynobld")) static const char dyno_build_mark[] = DYNO_BUILD; \
    __pragma(section(".dynodsc", read)) __declspec(allocate(".dynodsc")) static const char dyno_descriptor[] = json
#elif defined(_WIN32)
#define DYNO_DESCRIPTOR(json) \
    static const char dyno_build_mark[] __attribute__((used, section(".dynobld"))) = DYNO_BUILD; \
    static const char dyno_descriptor[] __attribute__((used, section(".dynodsc"))) = json
#elif defined(__APPLE__)
#define DYNO_DESCRIPTOR(json) \
    static const char dyno_build_mark[] __attribute__((used, section("__DATA,__dyno_build"))) = DYNO_BUILD; \
    static const char dyno_descriptor[] __attribute__((used, section("__DATA,__dyno_desc"))) = json
#else
#define DYNO_DESCRIPTOR(json) \
    static const char dyno_build_mark[] DYNO_KEPT_SECTION(".dyno_build") = DYNO_BUILD; \
    static const char dyno_descriptor[] __attribute__((used, section(".dyno_descriptor"))) = json
#endif

// A text that ends with a zero byte, as a `DynoStr`. It must live as long as the `DynoStr` is used.
static inline DynoStr dyno_str(const char *text) {
    DynoStr out;
    out.ptr = (const uint8_t *)text;
    out.len = text ? strlen(text) : 0;
    return out;
}

// Whether two texts are equal; `b` ends with a zero byte.
static inline int dyno_str_equals(DynoStr a, const char *b) {
    size_t length = strlen(b);
    return a.len == length && (length == 0 || memcmp(a.ptr, b, length) == 0);
}

// The parameter of that name, or null.
static inline const DynoParam *dyno_param(const DynoParam *params, size_t count, const char *name) {
    size_t i;
    for (i = 0; i < count; i++) {
        if (dyno_str_equals(params[i].name, name)) return &params[i];
    }
    return NULL;
}

// The value of the integer or bool parameter of that name; `otherwise` when there is none of that name and type.
static inline int64_t dyno_param_integer(const DynoParam *params, size_t count, const char *name, int64_t otherwise) {
    const DynoParam *param = dyno_param(params, count, name);
    if (!param || (param->kind != DYNO_PARAM_INTEGER && param->kind != DYNO_PARAM_BOOL)) return otherwise;
    return param->integer;
}

// The value of the float parameter of that name; `otherwise` when there is none of that name and type.
static inline double dyno_param_number(const DynoParam *params, size_t count, const char *name, double otherwise) {
    const DynoParam *param = dyno_param(params, count, name);
    if (!param || param->kind != DYNO_PARAM_FLOAT) return otherwise;
    return param->number;
}

// The value of the string or enum parameter of that name; empty when there is none. Valid until `setup` returns.
static inline DynoStr dyno_param_text(const DynoParam *params, size_t count, const char *name) {
    const DynoParam *param = dyno_param(params, count, name);
    if (!param || param->kind != DYNO_PARAM_TEXT) return dyno_str("");
    return param->text;
}

// Says why and gives the value to return. // eg: return dyno_fail(host, "out of memory");
static inline int32_t dyno_fail(const DynoHost *host, const char *why) {
    host->fail(host->context, dyno_str(why));
    return DYNO_ERROR;
}

// The same for a case that cannot run here. // eg: return dyno_skip(host, "this CPU has no AVX-512");
static inline int32_t dyno_skip(const DynoHost *host, const char *why) {
    host->fail(host->context, dyno_str(why));
    return DYNO_SKIPPED;
}

// Writes a line to the log of the launch. `level` is one of `DYNO_LOG_*`.
static inline void dyno_log(const DynoHost *host, uint32_t level, const char *line) {
    host->log(host->context, level, dyno_str(line));
}

// Reports a metric that the descriptor declares.
static inline void dyno_metric(const DynoHost *host, const char *name, double value) {
    host->metric(host->context, dyno_str(name), value);
}

// Keeps the compiler from dropping or moving work. Without it a loop whose result nobody reads is removed, and one whose
// input never changes is computed once, before the loop: the numbers then are those of an empty loop.
// Pass the address of the result in every iteration, and that of the input before it is read.
// eg: for (i = 0; i < iterations; i++) { dyno_keep(data); sum = work(data); dyno_keep(&sum); }
#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static __inline void dyno_keep(const void *address) {
    static const void *volatile sink;
    sink = address;
    _ReadWriteBarrier();
}
#else
static inline void dyno_keep(const void *address) { __asm__ volatile("" : : "r"(address) : "memory"); }
#endif

#endif  /* DYNO_PLUGIN_H */
