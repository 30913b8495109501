// What every kernel file begins with: element types, sums over a warp and a block, and random bits.
//
// A kernel file is this text and its own, one after the other, compiled by NVRTC without any header. Each kernel is a
// template over the element type T, float or bfloat16, and appears under the names NAME_float32 and NAME_bfloat16.
// All arithmetic is in float; only what lies in memory is T. The same text compiled by g++ runs on a CPU, where the
// tests hold it against NumPy.

#ifdef CUDA_ON_CPU
#define SHARED_BYTES(name) unsigned char* name = dynamic_shared_memory()
#else
#define SHARED_BYTES(name) extern __shared__ __align__(1024) unsigned char name[]
#endif

const int WARP = 32;
const unsigned int EVERYONE = 0xffffffffu;

// ---- bfloat16: the upper half of a float ----------------------------------------------------------------------------

struct bfloat16 {
  unsigned short bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }

__device__ __forceinline__ float to_float(bfloat16 x) { return __uint_as_float((unsigned int)x.bits << 16); }

template <typename T>
__device__ __forceinline__ T from_float(float x);

template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}

// Rounds to the nearest, ties to even. Adding just under half of the last kept bit carries where it should. From sm_80
// on one instruction does the same as these seven.
template <>
__device__ __forceinline__ bfloat16 from_float<bfloat16>(float x) {
  bfloat16 y;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
  unsigned int bits = __float_as_uint(x);
  if (x != x)
    y.bits = 0x7fc0;  // a NaN stays one: the carry could make it infinite
  else
    y.bits = (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
#endif
  return y;
}

// ---- sums over a warp and over a block ------------------------------------------------------------------------------

__device__ __forceinline__ float warp_sum(float x) {
  for (int distance = WARP / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(EVERYONE, x, distance);
  return x;
}

__device__ __forceinline__ float warp_max(float x) {
  for (int distance = WARP / 2; distance > 0; distance /= 2) x = fmaxf(x, __shfl_xor_sync(EVERYONE, x, distance));
  return x;
}

// The sum over all threads of a block, for every thread. `partial` is shared memory for 32 floats. Whole warps only.
__device__ __forceinline__ float block_sum(float x, float* partial) {
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  x = warp_sum(x);
  __syncthreads();  // whoever still reads the last sum
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  return warp_sum(lane < warps ? partial[lane] : 0.0f);
}

__device__ __forceinline__ float block_max(float x, float* partial) {
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  x = warp_max(x);
  __syncthreads();
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  return warp_max(lane < warps ? partial[lane] : partial[0]);
}

// ---- random bits ----------------------------------------------------------------------------------------------------

struct Bits {
  unsigned int word[4];
};

// Philox 4x32-10: 128 random bits that depend on a counter and a key alone, so nothing is stored for the way back.
// Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
__device__ __forceinline__ Bits philox(unsigned int c0, unsigned int c1, unsigned int c2, unsigned int c3,
                                       unsigned int key0, unsigned int key1) {
  for (int round = 0; round < 10; round++) {
    unsigned int high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    unsigned int high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ key0;
    c2 = high0 ^ c3 ^ key1;
    c1 = low1;
    c3 = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  Bits bits = {{c0, c1, c2, c3}};
  return bits;
}
