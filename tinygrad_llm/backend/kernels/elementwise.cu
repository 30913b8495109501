// after: packs.cuh
//
// What goes over an array once and is hardly arithmetic: a change of type, sums, a bias in every row, a factor.
//
//   to_bfloat16, to_float32   y = x in the other type; to bfloat16 it is rounded to the nearest, ties to even
//   add                       y = a + b
//   add_bias                  y += bias in each of the rows of y (rows, width), in place
//   scale                     x *= factor[0], in place; the factor lies in the GPU's memory, so nobody waits for it
//
// Each thread takes packs of 16 bytes of the whole array, of the narrower one where there are two types.
//
// Launch with any grid and block: a thread for each pack and blocks of 256 are right.

template <typename T>
__device__ void add_bias(T* y, const float* bias, long long rows, int width) {
  bool fit = aligned(y) && aligned(bias);
  for_row_packs<16 / sizeof(T)>(whole_grid(), rows, width, fit, [=](auto count, long long i, int column) {
    const int N = count.value;
    Numbers<N> x = load<N>(y + i), b = load<N>(bias + column);
    for (int k = 0; k < N; k++) x.at[k] += b.at[k];
    store(y + i, x);
  });
}

extern "C" __global__ void to_bfloat16(const float* x, bfloat16* y, long long n) {
  map(whole_grid(), x, y, n, [](float v) { return v; });
}

extern "C" __global__ void to_float32(const bfloat16* x, float* y, long long n) {
  map(whole_grid(), x, y, n, [](float v) { return v; });
}

#define ENTRIES(T, SUFFIX)                                                                                    \
  extern "C" __global__ void add_##SUFFIX(const T* a, const T* b, T* y, long long n) {                        \
    map(whole_grid(), a, b, y, n, [](float u, float v) { return u + v; });                                    \
  }                                                                                                           \
  extern "C" __global__ void add_bias_##SUFFIX(T* y, const float* bias, long long rows, int width) {          \
    add_bias(y, bias, rows, width);                                                                           \
  }                                                                                                           \
  extern "C" __global__ void scale_##SUFFIX(T* x, const float* factor, long long n) {                         \
    float by = *factor;                                                                                       \
    map(whole_grid(), x, x, n, [by](float v) { return v * by; });                                             \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
