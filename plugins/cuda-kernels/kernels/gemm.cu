// Device code: C = A B of row-major f32 matrices, as in the textbook and in tiles. Tiles of C are numbered along one
// dimension of the grid.

// One thread per element of C, in blocks of 16 by 16.
extern "C" __global__ void gemm_naive(float* __restrict__ c, const float* __restrict__ a, const float* __restrict__ b,
                                      u64 m, u64 n, u64 k) {
    u64 across = (n + 15) / 16;
    u64 column = (u64)blockIdx.x % across * 16 + threadIdx.x;
    u64 row = (u64)blockIdx.x / across * 16 + threadIdx.y;
    if (row >= m || column >= n) return;
    float sum = 0.0f;
    for (u64 i = 0; i < k; i++) sum += a[row * k + i] * b[i * n + column];
    c[row * n + column] = sum;
}

// A tile of 64 by 64 per block of 256 threads, each of which holds 4 by 4 sums in registers; A and B come through
// shared memory, 16 deep. What lies outside the matrices is read as zero and not written.
extern "C" __global__ void gemm_tiled(float* __restrict__ c, const float* __restrict__ a, const float* __restrict__ b,
                                      u64 m, u64 n, u64 k) {
    // A is turned, so that the four values of a thread lie beside each other; the padding spreads the writes.
    __shared__ float of_a[16][64 + 4];
    __shared__ float of_b[16][64];
    u32 t = threadIdx.x;
    u32 x = t % 16 * 4;
    u32 y = t / 16 * 4;
    u64 across = (n + 63) / 64;
    u64 left = (u64)blockIdx.x % across * 64;
    u64 top = (u64)blockIdx.x / across * 64;
    float sums[4][4] = {};

    for (u64 depth = 0; depth < k; depth += 16) {
#pragma unroll
        for (u32 i = t; i < 64 * 16; i += 256) {
            u64 row = top + i / 16;
            u64 column = depth + i % 16;
            of_a[i % 16][i / 16] = row < m && column < k ? a[row * k + column] : 0.0f;
        }
#pragma unroll
        for (u32 i = t; i < 16 * 64; i += 256) {
            u64 row = depth + i / 64;
            u64 column = left + i % 64;
            of_b[i / 64][i % 64] = row < k && column < n ? b[row * n + column] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (u32 i = 0; i < 16; i++) {
#pragma unroll
            for (u32 down = 0; down < 4; down++) {
#pragma unroll
                for (u32 over = 0; over < 4; over++) sums[down][over] += of_a[i][y + down] * of_b[i][x + over];
            }
        }
        // The next turn writes what this one reads.
        __syncthreads();
    }
    for (u32 down = 0; down < 4; down++) {
        for (u32 over = 0; over < 4; over++) {
            u64 row = top + y + down;
            u64 column = left + x + over;
            if (row < m && column < n) c[row * n + column] = sums[down][over];
        }
    }
}
