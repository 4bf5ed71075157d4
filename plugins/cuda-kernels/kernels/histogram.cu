// Device code: how often each key occurs. Keys that are no bin are left out, so that no key can write elsewhere.

extern "C" __global__ void clear(u32* __restrict__ bins, u32 count) {
    for (u64 i = first_of_grid(); i < count; i += threads_of_grid()) bins[i] = 0;
}

// Every key is an atomic addition in global memory.
extern "C" __global__ void histogram_global(u32* __restrict__ bins, const u32* __restrict__ keys, u64 n, u32 count) {
    for (u64 i = first_of_grid(); i < n; i += threads_of_grid()) {
        u32 key = keys[i];
        if (key < count) atomicAdd(&bins[key], 1u);
    }
}

// Every block counts in shared memory first. MAX_BINS comes from the host.
extern "C" __global__ void histogram_shared(u32* __restrict__ bins, const u32* __restrict__ keys, u64 n, u32 count) {
    __shared__ u32 mine[MAX_BINS];
    for (u32 i = threadIdx.x; i < count; i += blockDim.x) mine[i] = 0;
    __syncthreads();
    for (u64 i = first_of_grid(); i < n; i += threads_of_grid()) {
        u32 key = keys[i];
        if (key < count) atomicAdd(&mine[key], 1u);
    }
    __syncthreads();
    for (u32 i = threadIdx.x; i < count; i += blockDim.x) {
        if (mine[i] > 0) atomicAdd(&bins[i], mine[i]);
    }
}
