// Device code: nothing. What is left is the cost of starting it.

extern "C" __global__ void empty() {}
