#include <chrono>
#include <cstdio>

float events(float *x, int n)
{
    cudaEvent_t start, stop;
    float ms;
    kernel<<<1, 256>>>(x, n);
    for (int i = 0; i < 10; i++) {
        cudaEventRecord(start);
        kernel<<<1, 256>>>(x, n);
        cudaEventRecord(stop);
        cudaEventSynchronize(stop);
        cudaEventElapsedTime(&ms, start, stop);
    }
    return ms;
}

double unsynchronised(float *x, int n)
{
    auto start = std::chrono::steady_clock::now();
    kernel<<<1, 256>>>(x, n);
    auto end = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(end - start).count();
}

double synchronised(float *x, int n)
{
    auto start = std::chrono::steady_clock::now();
    kernel<<<1, 256>>>(x, n);
    cudaDeviceSynchronize();
    auto end = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(end - start).count();
}
