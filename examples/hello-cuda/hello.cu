// The smallest useful plugin in CUDA: adds a multiple of one array to another.
//
//     nvcc -std=c++17 -O3 -shared -Xcompiler -fPIC,-fvisibility=hidden -I../../plugin-api/include -I../../sdk/c -o hello_cuda.so hello.cu

#include <string>
#include <vector>

#include <cuda_runtime.h>

#include "dyno.hpp"

namespace {

void check(cudaError_t error) {
    if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

__global__ void saxpy(std::size_t n, float factor, const float *x, float *y) {
    std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x;
    if (i < n) y[i] += factor * x[i];
}

// An array on the device, freed with its owner.
class array {
public:
    array() = default;
    array(const array &) = delete;
    array &operator=(const array &) = delete;
    ~array() { cudaFree(values_); }

    void fill(const std::vector<float> &values) {
        std::size_t bytes = values.size() * sizeof(float);
        if (!values_) check(cudaMalloc(&values_, bytes));
        check(cudaMemcpy(values_, values.data(), bytes, cudaMemcpyHostToDevice));
    }
    float *get() const { return values_; }

private:
    float *values_ = nullptr;
};

class Saxpy : public dyno::benchmark {
public:
    ~Saxpy() override {
        cudaEventDestroy(begin_);
        cudaEventDestroy(end_);
    }

    void setup(const dyno::params &params) override {
        // Without a driver or a device, this case cannot run here, which is not a failure.
        int count = 0;
        if (cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
            throw dyno::skip(std::string("CUDA cannot be used: ") + cudaGetErrorString(error));
        }
        check(cudaSetDevice(static_cast<int>(host().device().index)));
        n_ = static_cast<std::size_t>(params.integer("n"));
        check(cudaEventCreate(&begin_));
        check(cudaEventCreate(&end_));
        x_.fill(std::vector<float>(n_, 1.0f));
        y_.fill(std::vector<float>(n_, 2.0f));
    }

    void verify() override {
        launch();
        std::vector<float> result(n_);
        check(cudaMemcpy(result.data(), y_.get(), n_ * sizeof(float), cudaMemcpyDeviceToHost));
        for (float value : result) {
            if (value != 2.5f) throw std::runtime_error("2 + 0.5 x 1 gave " + std::to_string(value));
        }
    }

    // `execute` must not return before the device has finished.
    void execute(std::uint64_t iterations, DynoReport &report) override {
        check(cudaEventRecord(begin_));
        for (std::uint64_t i = 0; i < iterations; i++) launch();
        check(cudaEventRecord(end_));
        check(cudaEventSynchronize(end_));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin_, end_));
        report.device_ns = milliseconds * 1e6;
        report.items = static_cast<double>(n_) * static_cast<double>(iterations);
        report.bytes = report.items * 3 * sizeof(float);
        report.flop = report.items * 2;
    }

private:
    void launch() const {
        constexpr unsigned threads = 256;
        auto blocks = static_cast<unsigned>((n_ + threads - 1) / threads);
        saxpy<<<blocks, threads>>>(n_, 0.5f, x_.get(), y_.get());
        check(cudaGetLastError());
    }

    std::size_t n_ = 0;
    array x_, y_;
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

} // namespace

DYNO_EXPORT_PLUGIN(
    DYNO_JSON({
        "schema": "dyno.descriptor/1",
        "plugin": {
            "id": "hello-cuda", "version": "1.0.0", "description": "The smallest useful plugin in CUDA",
            "license": "MIT OR Apache-2.0"
        },
        "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
        "benchmarks": [{
            "name": "saxpy_cuda", "category": "example", "description": "Adds a multiple of one array to another",
            "hardware": ["cuda"],
            "params": [{
                "name": "n", "type": "integer", "default": 16777216, "min": 1, "max": 67108864, "unit": "elements",
                "description": "Length of the arrays"
            }]
        }]
    }),
    dyno::entry<Saxpy>("saxpy_cuda"));
