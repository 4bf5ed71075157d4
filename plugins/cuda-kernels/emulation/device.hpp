// For tests: enough of CUDA C to run the kernels on a CPU. A CUDA thread is a thread, a barrier is a barrier, shared
// memory is shared, so that a sanitizer sees every race there would be inside a block. Blocks run one after the other.
#pragma once

#include <cmath>
#include <functional>
#include <pthread.h>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct Index {
    unsigned x = 0, y = 0, z = 0;
};
struct uint4 {
    unsigned x, y, z, w;
};

static thread_local Index threadIdx, blockIdx;
static Index blockDim, gridDim;
static pthread_barrier_t barrier;

static void __syncthreads() { pthread_barrier_wait(&barrier); }

static unsigned atomicAdd(unsigned* place, unsigned value) {
    return __atomic_fetch_add(place, value, __ATOMIC_RELAXED);
}

// Runs `kernel` in every thread of every block. The threads go on to the next block together.
static void launch(unsigned blocks, Index block, const std::function<void()>& kernel) {
    blockDim = block;
    gridDim = {blocks, 1, 1};
    pthread_barrier_t between;
    pthread_barrier_init(&barrier, nullptr, block.x * block.y);
    pthread_barrier_init(&between, nullptr, block.x * block.y);
    std::vector<std::thread> threads;
    for (unsigned y = 0; y < block.y; y++) {
        for (unsigned x = 0; x < block.x; x++) {
            threads.emplace_back([x, y, blocks, &kernel, &between] {
                threadIdx = {x, y, 0};
                for (unsigned number = 0; number < blocks; number++) {
                    blockIdx = {number, 0, 0};
                    kernel();
                    pthread_barrier_wait(&between);
                }
            });
        }
    }
    for (auto& thread : threads) thread.join();
    pthread_barrier_destroy(&between);
    pthread_barrier_destroy(&barrier);
}
