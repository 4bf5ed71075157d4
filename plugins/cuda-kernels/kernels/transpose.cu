// Device code: transposes a matrix in tiles of 32 by 32, one block of 32 by 8 threads each. Tiles are numbered along
// one dimension of the grid, for the other two end at 65535.

// Reads along rows, and writes down columns: every write of a warp goes to another line of memory.
extern "C" __global__ void transpose_naive(float* __restrict__ to, const float* __restrict__ from, u64 rows,
                                           u64 columns) {
    u64 across = (columns + 31) / 32;
    u64 column = (u64)blockIdx.x % across * 32 + threadIdx.x;
    u64 first = (u64)blockIdx.x / across * 32;
    for (u32 y = threadIdx.y; y < 32; y += 8) {
        u64 row = first + y;
        if (row < rows && column < columns) to[column * rows + row] = from[row * columns + column];
    }
}

// Through shared memory, so that reads and writes both go along rows. The 33rd column keeps the threads of a warp in
// different banks.
extern "C" __global__ void transpose_tiled(float* __restrict__ to, const float* __restrict__ from, u64 rows,
                                           u64 columns) {
    __shared__ float tile[32][33];
    u64 across = (columns + 31) / 32;
    u64 left = (u64)blockIdx.x % across * 32;
    u64 top = (u64)blockIdx.x / across * 32;
    for (u32 y = threadIdx.y; y < 32; y += 8) {
        u64 row = top + y;
        u64 column = left + threadIdx.x;
        if (row < rows && column < columns) tile[y][threadIdx.x] = from[row * columns + column];
    }
    __syncthreads();
    for (u32 y = threadIdx.y; y < 32; y += 8) {
        u64 row = top + threadIdx.x;
        u64 column = left + y;
        if (row < rows && column < columns) to[column * rows + row] = tile[threadIdx.x][y];
    }
}
