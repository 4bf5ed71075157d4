// Device code: mean, variance, scale and shift of each row, one block per row.

extern "C" __global__ void layernorm(float* __restrict__ output, const float* __restrict__ input,
                                     const float* __restrict__ scale, const float* __restrict__ shift, float tiny,
                                     u64 columns) {
    __shared__ float shared[BLOCK];
    const float* row = input + (u64)blockIdx.x * columns;
    float* out = output + (u64)blockIdx.x * columns;

    float mine = 0.0f;
    for (u64 i = threadIdx.x; i < columns; i += BLOCK) mine += row[i];
    float mean = block_sum(mine, shared) / (float)columns;

    mine = 0.0f;
    for (u64 i = threadIdx.x; i < columns; i += BLOCK) {
        float distance = row[i] - mean;
        mine += distance * distance;
    }
    float variance = block_sum(mine, shared) / (float)columns;

    float inverse = 1.0f / sqrtf(variance + tiny);
    for (u64 i = threadIdx.x; i < columns; i += BLOCK) out[i] = (row[i] - mean) * inverse * scale[i] + shift[i];
}
