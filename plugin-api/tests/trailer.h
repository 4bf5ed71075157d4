// The exported symbol of every native plugin: a function of type `DynoEntry`.
#define DYNO_ENTRY_SYMBOL @ENTRY_SYMBOL@

// ---------------------------------------------------------------------------------------------------------------
// The layout that this header describes. A plugin whose hash differs from the host's is refused with both hashes.

#if UINTPTR_MAX != 0xffffffffffffffffULL
#error "this dyno_plugin.h describes the layout on 64-bit targets"
#endif

// For `DynoPlugin.layout_hash`.
#define DYNO_LAYOUT_HASH @LAYOUT_HASH@
// For `abi.layout_hash` in the descriptor.
#define DYNO_LAYOUT_HASH_TEXT @LAYOUT_HASH_TEXT@

#ifdef __cplusplus
#define DYNO_ASSERT(condition, message) static_assert(condition, message)
#define DYNO_ALIGNOF(type) alignof(type)
#else
#define DYNO_ASSERT(condition, message) _Static_assert(condition, message)
#define DYNO_ALIGNOF(type) _Alignof(type)
#endif

@ASSERTS@

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
