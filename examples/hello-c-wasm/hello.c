// The smallest useful component in C: sums `n` integers. `benchmark.h` is made from dyno's WIT by `dyno build`; the long names
// in it say where a function stands there.

#include <stdlib.h>
#include <string.h>

#include "benchmark.h"

typedef exports_dyno_plugin_lifecycle_failure_t Failure;
typedef exports_dyno_plugin_lifecycle_list_param_t Params;
typedef exports_dyno_plugin_lifecycle_list_sample_t Samples;
typedef exports_dyno_plugin_lifecycle_report_t Report;

static uint64_t *values;
static size_t count;

static uint64_t sum(void) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) total += values[i];
    return total;
}

// Says why a call failed; what cannot run here is `..._SKIPPED` instead.
static bool fail(Failure *failure, const char *why) {
    failure->tag = DYNO_PLUGIN_TYPES_FAILURE_ERROR;
    benchmark_string_dup(&failure->val.error, why);
    return false;
}

// `params` are those of the descriptor, and freed here. Equal seeds must make equal work.
bool exports_dyno_plugin_lifecycle_setup(benchmark_string_t *benchmark, Params *params, uint64_t seed, Failure *failure) {
    const char *name = "sum_c_wasm";
    bool is_known = benchmark->len == strlen(name) && !memcmp(benchmark->ptr, name, benchmark->len);
    benchmark_string_free(benchmark);
    if (!is_known) return fail(failure, "there is no benchmark of that name");
    for (size_t i = 0; i < params->len; i++) {
        benchmark_string_t param = params->ptr[i].name;
        if (param.len == 1 && param.ptr[0] == 'n') count = (size_t)params->ptr[i].value.val.integer;
    }
    exports_dyno_plugin_lifecycle_list_param_free(params);
    values = malloc(count * sizeof *values);
    if (!values) return fail(failure, "not enough memory for the array");
    for (size_t i = 0; i < count; i++) values[i] = seed + i;
    return true;
}

bool exports_dyno_plugin_lifecycle_verify(Failure *failure) {
    uint64_t n = count, seed = values[0], pairs = n % 2 ? (n - 1) / 2 * n : n / 2 * (n - 1);
    return sum() == n * seed + pairs || fail(failure, "the sum is not what the formula gives");
}

bool exports_dyno_plugin_lifecycle_prepare(uint64_t iterations, Failure *failure) { return true; }

// The only timed call.
bool exports_dyno_plugin_lifecycle_execute(uint64_t iterations, Report *report, Failure *failure) {
    uint64_t total = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        // As far as the compiler can see, the values may have changed: every iteration sums them again.
        __asm__ volatile("" : : "r"(values) : "memory");
        total += sum();
    }
    report->items = (double)count * (double)iterations;
    report->bytes = report->items * sizeof *values;
    report->flop = 0;
    report->checksum = total;
    return true;
}

bool exports_dyno_plugin_lifecycle_process_results(Samples *samples, Failure *failure) {
    exports_dyno_plugin_lifecycle_list_sample_free(samples);
    return true;
}

void exports_dyno_plugin_lifecycle_cleanup(void) {
    free(values);
    values = NULL;
}
