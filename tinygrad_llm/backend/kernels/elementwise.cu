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

// Packs count through all rows, so a narrow row leaves no thread idle. N divides the width: a pack never reaches into
// the next row, and its place in the bias is a remainder.
template <int N, typename T>
__device__ void add_bias_packs(T* y, const float* bias, long long rows, int width) {
  Team team = whole_grid();
  int packs_per_row = width / N;
  for (long long p = team.rank; p < rows * packs_per_row; p += team.size) {
    int column = (int)(p % packs_per_row) * N;
    Numbers<N> x = load<N>(y + p * N), b = load<N>(bias + column);
    for (int k = 0; k < N; k++) x.at[k] += b.at[k];
    store(y + p * N, x);
  }
}

template <typename T>
__device__ void add_bias(T* y, const float* bias, long long rows, int width) {
  const int N = 16 / sizeof(T);
  if (width % N == 0 && aligned(y) && aligned(bias))
    add_bias_packs<N>(y, bias, rows, width);
  else
    add_bias_packs<1>(y, bias, rows, width);
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
