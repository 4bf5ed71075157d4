// For tests: runs every kernel on the CPU, at sizes that are no multiples of anything, and compares with plain loops in
// double precision. Whatever lies behind the output must stay as it was.

#include "device.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../kernels/prelude.cuh"

#include "../kernels/copy.cu"
#include "../kernels/empty.cu"
#include "../kernels/gemm.cu"
#include "../kernels/histogram.cu"
#include "../kernels/layernorm.cu"
#include "../kernels/softmax.cu"
#include "../kernels/sum.cu"
#include "../kernels/transpose.cu"
#include "../kernels/triad.cu"

using Floats = std::vector<float>;

static const float GUARD = 12345.0f;
static const size_t GUARDS = 64;

static void fail(const char* what, size_t place, double got, double expected) {
    std::printf("%s: element %zu is %g, expected %g\n", what, place, got, expected);
    std::exit(1);
}

static Floats random_floats(size_t count) {
    Floats values(count);
    for (auto& value : values) value = (float)(std::rand() % 2001 - 1000) / 1000.0f;
    return values;
}

// An output full of NaN, with guards behind it.
static Floats output(size_t count) {
    Floats values(count + GUARDS, std::nanf(""));
    for (size_t i = 0; i < GUARDS; i++) values[count + i] = GUARD;
    return values;
}

static void check(const char* what, const Floats& got, const std::vector<double>& expected, double tolerance) {
    for (size_t i = 0; i < expected.size(); i++) {
        if (!(std::fabs(got[i] - expected[i]) <= tolerance)) fail(what, i, got[i], expected[i]);
    }
    for (size_t i = expected.size(); i < got.size(); i++) {
        if (got[i] != GUARD) fail(what, i, got[i], GUARD);
    }
    std::printf("%s of %zu elements\n", what, expected.size());
}

static void copies() {
    for (size_t bytes : {1, 15, 16, 17, 4099}) {
        std::vector<unsigned char> from(bytes), to(bytes + GUARDS, 0xAB);
        for (auto& byte : from) byte = (unsigned char)std::rand();
        launch(2, {32, 1, 1}, [&] { copy(to.data(), from.data(), bytes); });
        if (std::memcmp(to.data(), from.data(), bytes) != 0) fail("copy", bytes, 0, 1);
        for (size_t i = bytes; i < to.size(); i++) {
            if (to[i] != 0xAB) fail("copy", i, to[i], 0xAB);
        }
    }
    std::printf("copy\n");
}

static void triads() {
    size_t n = 1003;
    Floats a = output(n), b = random_floats(n), c = random_floats(n);
    launch(3, {64, 1, 1}, [&] { triad_f32(a.data(), b.data(), c.data(), 3.0f, n); });
    std::vector<double> expected(n);
    for (size_t i = 0; i < n; i++) expected[i] = b[i] + 3.0 * c[i];
    check("triad_f32", a, expected, 1e-5);

    std::vector<double> wide_a(n + 1, GUARD), wide_b(b.begin(), b.end()), wide_c(c.begin(), c.end());
    launch(3, {64, 1, 1}, [&] { triad_f64(wide_a.data(), wide_b.data(), wide_c.data(), 3.0, n); });
    for (size_t i = 0; i < n; i++) {
        if (std::fabs(wide_a[i] - expected[i]) > 1e-12) fail("triad_f64", i, wide_a[i], expected[i]);
    }
    if (wide_a[n] != GUARD) fail("triad_f64", n, wide_a[n], GUARD);
}

static void sums() {
    for (size_t n : {1, 255, 5001}) {
        Floats input = random_floats(n), partial = output(3), result = output(1);
        double expected = 0;
        for (float value : input) expected += value;
        launch(3, {BLOCK, 1, 1}, [&] { sum(partial.data(), input.data(), n); });
        launch(1, {BLOCK, 1, 1}, [&] { sum(result.data(), partial.data(), 3); });
        check("sum", result, {expected}, 1e-3);
    }
}

static void softmaxes() {
    for (size_t columns : {1, 77, 700}) {
        size_t rows = 3;
        Floats input = random_floats(rows * columns), out = output(rows * columns);
        std::vector<double> expected(rows * columns);
        for (size_t row = 0; row < rows; row++) {
            double total = 0;
            for (size_t i = 0; i < columns; i++) total += std::exp((double)input[row * columns + i]);
            for (size_t i = 0; i < columns; i++) {
                expected[row * columns + i] = std::exp((double)input[row * columns + i]) / total;
            }
        }
        launch((unsigned)rows, {BLOCK, 1, 1}, [&] { softmax(out.data(), input.data(), columns); });
        check("softmax", out, expected, 1e-6);
    }
}

static void layernorms() {
    for (size_t columns : {5, 700}) {
        size_t rows = 3;
        Floats input = random_floats(rows * columns), out = output(rows * columns);
        Floats scale = random_floats(columns), shift = random_floats(columns);
        std::vector<double> expected(rows * columns);
        for (size_t row = 0; row < rows; row++) {
            double mean = 0, variance = 0;
            for (size_t i = 0; i < columns; i++) mean += input[row * columns + i] / (double)columns;
            for (size_t i = 0; i < columns; i++) {
                variance += std::pow(input[row * columns + i] - mean, 2) / (double)columns;
            }
            for (size_t i = 0; i < columns; i++) {
                double unit = (input[row * columns + i] - mean) / std::sqrt(variance + 1e-5);
                expected[row * columns + i] = unit * scale[i] + shift[i];
            }
        }
        launch((unsigned)rows, {BLOCK, 1, 1}, [&] {
            layernorm(out.data(), input.data(), scale.data(), shift.data(), 1e-5f, columns);
        });
        check("layernorm", out, expected, 1e-4);
    }
}

static void transposes() {
    size_t shapes[][2] = {{1, 1}, {33, 70}, {64, 32}};
    for (auto& shape : shapes) {
        size_t rows = shape[0], columns = shape[1];
        unsigned tiles = (unsigned)((rows + 31) / 32 * ((columns + 31) / 32));
        Floats from = random_floats(rows * columns), naive = output(rows * columns), tiled = output(rows * columns);
        std::vector<double> expected(rows * columns);
        for (size_t row = 0; row < rows; row++) {
            for (size_t column = 0; column < columns; column++) {
                expected[column * rows + row] = from[row * columns + column];
            }
        }
        launch(tiles, {32, 8, 1}, [&] { transpose_naive(naive.data(), from.data(), rows, columns); });
        check("transpose_naive", naive, expected, 0);
        launch(tiles, {32, 8, 1}, [&] { transpose_tiled(tiled.data(), from.data(), rows, columns); });
        check("transpose_tiled", tiled, expected, 0);
    }
}

static void products() {
    size_t shapes[][3] = {{1, 1, 1}, {65, 67, 33}, {17, 130, 16}};
    for (auto& shape : shapes) {
        size_t m = shape[0], n = shape[1], k = shape[2];
        Floats a = random_floats(m * k), b = random_floats(k * n), naive = output(m * n), tiled = output(m * n);
        std::vector<double> expected(m * n, 0.0);
        for (size_t row = 0; row < m; row++) {
            for (size_t i = 0; i < k; i++) {
                for (size_t column = 0; column < n; column++) {
                    expected[row * n + column] += (double)a[row * k + i] * b[i * n + column];
                }
            }
        }
        unsigned small = (unsigned)((m + 15) / 16 * ((n + 15) / 16));
        unsigned large = (unsigned)((m + 63) / 64 * ((n + 63) / 64));
        launch(small, {16, 16, 1}, [&] { gemm_naive(naive.data(), a.data(), b.data(), m, n, k); });
        check("gemm_naive", naive, expected, 1e-4);
        launch(large, {256, 1, 1}, [&] { gemm_tiled(tiled.data(), a.data(), b.data(), m, n, k); });
        check("gemm_tiled", tiled, expected, 1e-4);
    }
}

static void histograms() {
    size_t n = 3001;
    u32 count = 37;
    std::vector<u32> keys(n), expected(count + 1, 0);
    for (auto& key : keys) {
        key = (u32)std::rand() % (count + 3);
        if (key < count) expected[key]++;
    }
    expected[count] = 0xFFFFFFFF;
    for (bool shared : {false, true}) {
        std::vector<u32> bins(count + 1, 0xFFFFFFFF);
        launch(1, {BLOCK, 1, 1}, [&] { clear(bins.data(), count); });
        launch(3, {BLOCK, 1, 1}, [&] {
            if (shared) histogram_shared(bins.data(), keys.data(), n, count);
            else histogram_global(bins.data(), keys.data(), n, count);
        });
        for (size_t i = 0; i <= count; i++) {
            if (bins[i] != expected[i]) fail("histogram", i, bins[i], expected[i]);
        }
    }
    std::printf("histogram\n");
}

int main() {
    copies();
    triads();
    sums();
    softmaxes();
    layernorms();
    transposes();
    products();
    histograms();
    launch(1, {1, 1, 1}, [] { empty(); });
    std::printf("all kernels are right\n");
}
