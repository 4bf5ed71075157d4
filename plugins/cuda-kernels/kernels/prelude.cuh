// Device code: stands before every kernel. BLOCK, the threads of a block, is a power of two and comes from the host.

typedef unsigned int u32;
typedef unsigned long long u64;

// Number of this thread in a grid of one dimension, and how many there are. 64 bits: arrays may have more elements
// than 32 bits can count.
__device__ inline u64 first_of_grid() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline u64 threads_of_grid() { return (u64)gridDim.x * blockDim.x; }

// Sum of one value per thread, for every thread of a block of BLOCK threads. The barrier at the end lets the caller
// use `shared` again.
__device__ inline float block_sum(float value, float* shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (u32 half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    float total = shared[0];
    __syncthreads();
    return total;
}
