// Device code: copies bytes, sixteen at a time, and what is left over one by one.

extern "C" __global__ void copy(unsigned char* __restrict__ to, const unsigned char* __restrict__ from, u64 bytes) {
    u64 vectors = bytes / 16;
    uint4* wide_to = (uint4*)to;
    const uint4* wide_from = (const uint4*)from;
    for (u64 i = first_of_grid(); i < vectors; i += threads_of_grid()) wide_to[i] = wide_from[i];
    for (u64 i = vectors * 16 + first_of_grid(); i < bytes; i += threads_of_grid()) to[i] = from[i];
}
