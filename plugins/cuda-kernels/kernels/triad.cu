// Device code: a[i] = b[i] + s * c[i], for both float types.

template <typename T>
__device__ inline void triad(T* __restrict__ a, const T* __restrict__ b, const T* __restrict__ c, T s, u64 n) {
    for (u64 i = first_of_grid(); i < n; i += threads_of_grid()) a[i] = b[i] + s * c[i];
}

extern "C" __global__ void triad_f32(float* a, const float* b, const float* c, float s, u64 n) { triad(a, b, c, s, n); }

extern "C" __global__ void triad_f64(double* a, const double* b, const double* c, double s, u64 n) {
    triad(a, b, c, s, n);
}
