// Device code: softmax of each row, one block per row: largest element and sum in one pass, the result in a second.

extern "C" __global__ void softmax(float* __restrict__ output, const float* __restrict__ input, u64 columns) {
    __shared__ float largest[BLOCK];
    __shared__ float sums[BLOCK];
    u32 t = threadIdx.x;
    const float* row = input + (u64)blockIdx.x * columns;
    float* out = output + (u64)blockIdx.x * columns;

    // A thread without elements keeps the smallest float and the sum 0, which change nothing below.
    float peak = -3.402823466e+38f;
    float sum = 0.0f;
    for (u64 i = t; i < columns; i += BLOCK) {
        float x = row[i];
        float higher = fmaxf(peak, x);
        sum = sum * expf(peak - higher) + expf(x - higher);
        peak = higher;
    }
    largest[t] = peak;
    sums[t] = sum;
    __syncthreads();
    for (u32 half = BLOCK / 2; half > 0; half /= 2) {
        if (t < half) {
            float higher = fmaxf(largest[t], largest[t + half]);
            sums[t] = sums[t] * expf(largest[t] - higher) + sums[t + half] * expf(largest[t + half] - higher);
            largest[t] = higher;
        }
        __syncthreads();
    }
    peak = largest[0];
    sum = sums[0];
    for (u64 i = t; i < columns; i += BLOCK) out[i] = expf(row[i] - peak) / sum;
}
