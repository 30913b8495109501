// CUDA's words for g++: with this file in front, a kernel runs on a CPU.
//
// Two engines. Fibers, the usual one: each thread of a block has a stack of its own, and one runs until it waits for
// the others; the order is always the same, so every result is too. Threads, with -DCUDA_ON_THREADS: each CUDA thread
// is one of the operating system's, so that ThreadSanitizer sees a race. In both, blocks run one after the other.
//
// Stricter than a GPU: a barrier or a warp's exchange that a thread misses is an error with a message, shared memory
// starts as NaN, and what cp_async_16 brings is there only once it has been waited for.

#pragma once
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __global__ __attribute__((noipa))
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(threads, ...) __attribute__((launch_bounds(threads)))  // build.py reads it
#define __align__(n) __attribute__((aligned(n)))
#define __constant__ const

#define __shared__ static __attribute__((cuda_shared))  // build.py finds it, and adds a call of fresh()

struct Index3 {
  unsigned int x, y, z;
};

#define CUDA_VECTOR(type, name)                                                     \
  struct __align__(2 * sizeof(type)) name##2 { type x, y; };                        \
  struct __align__(4 * sizeof(type)) name##4 { type x, y, z, w; };                  \
  inline name##2 make_##name##2(type x, type y) { return {x, y}; }                  \
  inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
CUDA_VECTOR(float, float)
CUDA_VECTOR(int, int)
CUDA_VECTOR(unsigned int, uint)
CUDA_VECTOR(unsigned short, ushort)

// ---- what both engines offer: where a thread is, and how it waits ---------------------------------------------------

namespace cuda_on_cpu {

const int LANES = 32, MOST_THREADS = 1024, SLOT = 32;
const unsigned char UNWRITTEN = 0xff;  // a float or a bfloat16 of these bytes is NaN

// One thread's contribution to an exchange among its warp.
struct Slot {
  alignas(16) unsigned char bytes[SLOT];
};

struct Launch {
  Index3 grid, block;
  long long shared_bytes;
  int reverse;           // the last block, warp and lane first: a result must not depend on it
  void (*body)(void**);  // calls the kernel
  void** arguments;
  void* stacks;          // for fibers
};

[[noreturn]] void fail(const char* format, ...);
void block_barrier(int line);
void warp_barrier(unsigned int mask, int line);
void warp_order(unsigned int mask, int line);      // the same, and what was written before is seen after
Slot* warp_exchange(unsigned int mask, int line);  // where the whole warp's slots lie, once everyone has come
Slot& own_slot();

// Copies that cp_async_16 has begun and nobody has waited for.
struct Copies {
  struct One {
    void* to;
    const void* from;
    int group;
  };
  One* all = nullptr;
  int count = 0, room = 0, group = 0;

  void begin(void* to, const void* from) {  // from nowhere come zeros
    if (count == room) all = (One*)realloc(all, sizeof(One) * (room = room ? 2 * room : 16));
    all[count++] = {to, from, group};
  }
  void finish(int groups_left) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (all[i].group >= group - groups_left)
        all[kept++] = all[i];
      else if (all[i].from)
        memcpy(all[i].to, all[i].from, 16);
      else
        memset(all[i].to, 0, 16);
    }
    count = kept;
  }
};
Copies& own_copies();
unsigned char* shared_memory();
void fresh(long long& block, void* variable, long long bytes);  // a __shared__ variable comes into being

}  // namespace cuda_on_cpu

#ifdef CUDA_ON_THREADS
#include "threads.h"
#else
#include "fibers.h"
#endif

inline unsigned char* dynamic_shared_memory() { return cuda_on_cpu::shared_memory(); }

// ---- barriers and exchanges -----------------------------------------------------------------------------------------

inline void __syncthreads(int line = __builtin_LINE()) { cuda_on_cpu::block_barrier(line); }
inline void __syncwarp(unsigned int mask = 0xffffffffu, int line = __builtin_LINE()) {
  cuda_on_cpu::warp_order(mask, line);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

namespace cuda_on_cpu {

// Slots are not the kernel's memory: ThreadSanitizer does not look at them.
#define UNSEEN __attribute__((no_sanitize("thread")))

template <typename T>
UNSEEN T from_slot(const Slot& slot) {
  T value;
  __builtin_memcpy(&value, slot.bytes, sizeof(T));
  return value;
}

template <typename T>
UNSEEN void into_slot(Slot& slot, const T& value) {
  __builtin_memcpy(slot.bytes, &value, sizeof(T));
}

template <typename T>
Slot* exchange(unsigned int mask, T value, int line) {
  static_assert(sizeof(T) <= SLOT);
  into_slot(own_slot(), value);
  return warp_exchange(mask, line);
}

inline int lane() { return threadIdx.x % LANES; }

template <typename T>
T shuffle(unsigned int mask, T value, int source, int line) {
  static_assert(sizeof(T) <= 8, "a shuffle moves 4 or 8 bytes");
  Slot* slots = exchange(mask, value, line);
  if (!(mask >> source & 1))
    fail("line %d: lane %d reads from lane %d, which the mask leaves out", line, lane(), source);
  return from_slot<T>(slots[source]);
}

}  // namespace cuda_on_cpu

template <typename T>
T __shfl_sync(unsigned int mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
  int first = cuda_on_cpu::lane() / width * width;
  return cuda_on_cpu::shuffle(mask, value, first + (source & (width - 1)), line);
}
template <typename T>
T __shfl_xor_sync(unsigned int mask, T value, int flip, int width = 32, int line = __builtin_LINE()) {
  int own = cuda_on_cpu::lane(), source = own ^ flip;
  return cuda_on_cpu::shuffle(mask, value, source < (own / width + 1) * width ? source : own, line);
}
template <typename T>
T __shfl_up_sync(unsigned int mask, T value, unsigned int by, int width = 32, int line = __builtin_LINE()) {
  int own = cuda_on_cpu::lane(), source = own - (int)by;
  return cuda_on_cpu::shuffle(mask, value, source >= own / width * width ? source : own, line);
}
template <typename T>
T __shfl_down_sync(unsigned int mask, T value, unsigned int by, int width = 32, int line = __builtin_LINE()) {
  int own = cuda_on_cpu::lane(), source = own + (int)by;
  return cuda_on_cpu::shuffle(mask, value, source < (own / width + 1) * width ? source : own, line);
}
inline unsigned int __ballot_sync(unsigned int mask, int predicate, int line = __builtin_LINE()) {
  cuda_on_cpu::Slot* slots = cuda_on_cpu::exchange(mask, predicate, line);
  unsigned int votes = 0;
  for (int i = 0; i < cuda_on_cpu::LANES; i++)
    if (mask >> i & 1 && cuda_on_cpu::from_slot<int>(slots[i])) votes |= 1u << i;
  return votes;
}
inline int __any_sync(unsigned int mask, int predicate, int line = __builtin_LINE()) {
  return __ballot_sync(mask, predicate, line) != 0;
}
inline int __all_sync(unsigned int mask, int predicate, int line = __builtin_LINE()) {
  return __ballot_sync(mask, predicate, line) == mask;
}

// ---- atomics --------------------------------------------------------------------------------------------------------

inline int atomicAdd(int* at, int x) { return __atomic_fetch_add(at, x, __ATOMIC_RELAXED); }
inline unsigned int atomicAdd(unsigned int* at, unsigned int x) { return __atomic_fetch_add(at, x, __ATOMIC_RELAXED); }
inline unsigned long long atomicAdd(unsigned long long* at, unsigned long long x) {
  return __atomic_fetch_add(at, x, __ATOMIC_RELAXED);
}
inline float atomicAdd(float* at, float x) {
  float old, sum;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do sum = old + x;
  while (!__atomic_compare_exchange(at, &old, &sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
inline int atomicMax(int* at, int x) {
  int old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < x && !__atomic_compare_exchange_n(at, &old, x, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
  return old;
}
inline int atomicOr(int* at, int x) { return __atomic_fetch_or(at, x, __ATOMIC_RELAXED); }
inline int atomicAnd(int* at, int x) { return __atomic_fetch_and(at, x, __ATOMIC_RELAXED); }
inline int atomicExch(int* at, int x) { return __atomic_exchange_n(at, x, __ATOMIC_RELAXED); }
inline int atomicCAS(int* at, int expected, int x) {
  __atomic_compare_exchange_n(at, &expected, x, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

// ---- numbers --------------------------------------------------------------------------------------------------------

namespace cuda_on_cpu {
template <typename To, typename From>
To same_bits(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  memcpy(&y, &x, sizeof(y));
  return y;
}
}  // namespace cuda_on_cpu

inline float __uint_as_float(unsigned int x) { return cuda_on_cpu::same_bits<float>(x); }
inline float __int_as_float(int x) { return cuda_on_cpu::same_bits<float>(x); }
inline unsigned int __float_as_uint(float x) { return cuda_on_cpu::same_bits<unsigned int>(x); }
inline int __float_as_int(float x) { return cuda_on_cpu::same_bits<int>(x); }
inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned long long)a * b >> 32; }
inline int __popc(unsigned int x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
template <typename T>
T __ldg(const T* at) {
  return *at;
}

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1.0f / sqrtf(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
inline float __cuda_expf(float x) { return expf(x); }
inline float __cuda_logf(float x) { return logf(x); }
#define __expf(x) expf(x)  // names that glibc keeps for itself
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __exp10f(x) exp10f(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __sincosf(x, s, c) sincosf(x, s, c)

#define CUDA_MIN_MAX(type, a, b)                                      \
  inline type min(a x, b y) { return (type)x < (type)y ? x : y; }     \
  inline type max(a x, b y) { return (type)x > (type)y ? x : y; }
CUDA_MIN_MAX(int, int, int)
CUDA_MIN_MAX(unsigned int, unsigned int, unsigned int)
CUDA_MIN_MAX(unsigned int, unsigned int, int)
CUDA_MIN_MAX(unsigned int, int, unsigned int)
CUDA_MIN_MAX(long long, long long, long long)
CUDA_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
inline float min(float x, float y) { return fminf(x, y); }
inline float max(float x, float y) { return fmaxf(x, y); }
inline double min(double x, double y) { return fmin(x, y); }
inline double max(double x, double y) { return fmax(x, y); }

// ---- tensor cores: the whole warp works on one small product --------------------------------------------------------

namespace cuda_on_cpu {

inline float half_of(unsigned int pair, int upper) { return __uint_as_float(upper ? pair & 0xffff0000u : pair << 16); }

inline void aligned_16(const void* at, const char* what, int line) {
  if ((unsigned long long)at % 16) fail("line %d: %s at %p, which is not a multiple of 16 bytes", line, what, at);
}

struct Fragments {
  unsigned int a[4], b[2];
};

}  // namespace cuda_on_cpu

// d += A B, A 16x16, B 16x8, in bfloat16; registers as in PTX's mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32.
inline void mma_16x8x16(float d[4], const unsigned int a[4], const unsigned int b[2], int line = __builtin_LINE()) {
  using namespace cuda_on_cpu;
  Fragments own = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  Slot* slots = exchange(0xffffffffu, own, line);
  int group = lane() / 4, t = lane() % 4;
  for (int i = 0; i < 4; i++) {
    int half = i / 2, column = 2 * t + i % 2;  // d[2], d[3] lie eight rows below d[0], d[1]
    float sum = 0.0f;
    for (int k = 0; k < 16; k++) {
      int owner = k % 8 / 2, upper = k / 8;  // which of four lanes holds this k, and in which register
      float left = half_of(from_slot<Fragments>(slots[4 * group + owner]).a[2 * upper + half], k % 2);
      float right = half_of(from_slot<Fragments>(slots[4 * column + owner]).b[upper], k % 2);
      sum += left * right;
    }
    d[i] += sum;
  }
}

// Four 8x8 matrices of 16-bit elements: lane i names row i % 8 of matrix i / 8; register j receives two elements of
// matrix j.
inline void ldmatrix_x4(unsigned int r[4], const void* row, int line = __builtin_LINE()) {
  using namespace cuda_on_cpu;
  aligned_16(row, "ldmatrix reads a row", line);
  Slot* slots = exchange(0xffffffffu, row, line);
  for (int j = 0; j < 4; j++) {
    const unsigned int* pairs = (const unsigned int*)from_slot<const void*>(slots[8 * j + lane() / 4]);
    r[j] = pairs[lane() % 4];
  }
}
inline void ldmatrix_x4_transposed(unsigned int r[4], const void* row, int line = __builtin_LINE()) {
  using namespace cuda_on_cpu;
  aligned_16(row, "ldmatrix reads a row", line);
  Slot* slots = exchange(0xffffffffu, row, line);
  for (int j = 0; j < 4; j++) {
    const unsigned short* low = (const unsigned short*)from_slot<const void*>(slots[8 * j + 2 * (lane() % 4)]);
    const unsigned short* high = (const unsigned short*)from_slot<const void*>(slots[8 * j + 2 * (lane() % 4) + 1]);
    r[j] = low[lane() / 4] | (unsigned int)high[lane() / 4] << 16;
  }
}

// Copies that go on while the thread does something else: here they happen when they are waited for, and not before.
inline void cp_async_16(void* shared, const void* global, bool there, int line = __builtin_LINE()) {
  cuda_on_cpu::aligned_16(shared, "cp.async writes", line);
  cuda_on_cpu::aligned_16(global, "cp.async reads", line);
  cuda_on_cpu::own_copies().begin(shared, there ? global : nullptr);
}
inline void cp_async_commit() { cuda_on_cpu::own_copies().group++; }
template <int N>
void cp_async_wait() {
  cuda_on_cpu::own_copies().finish(N);
}

// ---- Hopper's tensor cores: four warps together ---------------------------------------------------------------------

// What wgmma.cuh calls. The 64 bits that describe a matrix are read as the hardware reads them: where it begins, how far
// it is to the next 8 rows, and that the 16 bytes at an address lie where bits 4 to 6 are exchanged for their sum with
// bits 7 to 9.
namespace cuda_on_cpu {

struct Atoms {
  unsigned int first, next_8_rows;  // in bytes

  Atoms(unsigned int low, unsigned int high, int line) {
    first = (low & 0x3fff) << 4;
    next_8_rows = (high & 0x3fff) << 4;
    if (high >> 30 != 1) fail("line %d: a matrix without the swizzle of 128 bytes", line);
    if ((unsigned long long)dynamic_shared_memory() % 1024) fail("line %d: shared memory begins between atoms", line);
  }
  float at(int row, int column) const {
    unsigned int address = first + row / 8 * next_8_rows + row % 8 * 128 + column * 2;
    address ^= address >> 3 & 0x70;
    unsigned short bits;
    memcpy(&bits, dynamic_shared_memory() + address, 2);
    return __uint_as_float((unsigned int)bits << 16);
  }
};

struct Left {
  unsigned int a[4];
};

// The number in column k of a row that four lanes hold as mma_16x8x16 has it.
inline float of_lanes(const Slot* slots, int row, int k) {
  return half_of(from_slot<Left>(slots[row % 8 * 4 + k % 8 / 2]).a[k / 8 * 2 + row / 8], k % 2);
}

// d[n][c] += sum over k of left(row, k) right(k, column): of this lane's rows and columns.
template <typename A, typename B>
void add_products(float (*d)[4], A left, B right, bool add) {
  for (int n = 0; n < 8; n++)
    for (int c = 0; c < 4; c++) {
      int row = lane() / 4 + c / 2 * 8, column = n * 8 + lane() % 4 * 2 + c % 2;
      float sum = 0.0f;
      for (int k = 0; k < 16; k++) sum += left(row, k) * right(k, column);
      d[n][c] = (add ? d[n][c] : 0.0f) + sum;
    }
}

}  // namespace cuda_on_cpu

inline void shared_is_written() {}
inline void wgmma_begin(int line = __builtin_LINE()) { __syncwarp(0xffffffffu, line); }
inline void wgmma_end(int line = __builtin_LINE()) { __syncwarp(0xffffffffu, line); }
template <int LATER, int N>
void wgmma_arrived(float (&)[N][4], int line = __builtin_LINE()) {
  __syncwarp(0xffffffffu, line);
}
template <bool ADD, typename Matrix>
void wgmma_rows_rows(float (&d)[8][4], Matrix a, Matrix b, int line = __builtin_LINE()) {
  using namespace cuda_on_cpu;
  Atoms left(a.low, a.HIGH, line), right(b.low, b.HIGH, line);
  int warp = threadIdx.x / LANES % 4;
  add_products(d, [&](int row, int k) { return left.at(16 * warp + row, k); },
               [&](int k, int column) { return right.at(column, k); }, ADD);
}
template <int FIRST, int N, typename Matrix>
void wgmma_registers_columns(float (&d)[N][4], const unsigned int (&a)[4], Matrix b, int line = __builtin_LINE()) {
  using namespace cuda_on_cpu;
  Atoms right(b.low, b.HIGH, line);
  Slot* slots = exchange(0xffffffffu, Left{{a[0], a[1], a[2], a[3]}}, line);
  add_products(d + FIRST, [&](int row, int k) { return of_lanes(slots, row, k); },
               [&](int k, int column) { return right.at(k, column); }, true);
}
