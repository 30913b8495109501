// after: packs.cuh exponentials.cuh
//
// Scores into probabilities, row by row.  (rows, width) -> (rows, width)
//
//   softmax       y = e^(x - max) / sum e^(x - max)     dx = y (g - sum g y)
//   log_softmax   y = (x - max) - ln sum e^(x - max)    dx = g - e^y sum g
//
// One block a row, of one warp where rows are short. Each row is read twice: for its sum and for its result. The second
// time it comes from the cache. y may be x, and dx may be g. A row whose largest number is -inf or inf becomes NaN, as
// it does in NumPy.
//
// Launch with any number of blocks, one for each row is right: of one warp up to about 128 columns, of 256 threads up
// to some thousands, of 512 beyond.

template <typename T>
__device__ __forceinline__ Exponentials row_exponentials(const T* row, int width, float* partial) {
  Exponentials own = {minus_infinity(), 0.0f};
  for_packs<16 / sizeof(T)>(own_block(), width, before_packs(width, row),
                            [&](auto count, long long i) { include(own, load<count.value>(row + i)); });
  return of_block(own, partial);
}

template <typename T>
__device__ void softmax_forward(const T* x, T* y, int width) {
  __shared__ float partial[WARP];
  Exponentials all = row_exponentials(x, width, partial);
  float share = 1.0f / all.sum;
  map(own_block(), x, y, width, [=](float v) { return __expf(v - all.top) * share; });
}

template <typename T>
__device__ void log_softmax_forward(const T* x, T* y, int width) {
  __shared__ float partial[WARP];
  Exponentials all = row_exponentials(x, width, partial);
  float log_sum = logf(all.sum);
  map(own_block(), x, y, width, [=](float v) { return (v - all.top) - log_sum; });
}

// The sum of f(g, y) over a row.
template <typename T, typename F>
__device__ __forceinline__ float row_sum(const T* g, const T* y, int width, float* partial, F f) {
  float own = 0.0f;
  for_packs<16 / sizeof(T)>(own_block(), width, before_packs(width, g, y), [&](auto count, long long i) {
    const int N = count.value;
    Numbers<N> a = load<N>(g + i), b = load<N>(y + i);
    for (int k = 0; k < N; k++) own += f(a.at[k], b.at[k]);
  });
  return block_sum(own, partial);
}

template <typename T>
__device__ void softmax_backward(const T* g, const T* y, T* dx, int width) {
  __shared__ float partial[WARP];
  float mean = row_sum(g, y, width, partial, [](float dy, float p) { return dy * p; });
  map(own_block(), g, y, dx, width, [=](float dy, float p) { return p * (dy - mean); });
}

template <typename T>
__device__ void log_softmax_backward(const T* g, const T* y, T* dx, int width) {
  __shared__ float partial[WARP];
  float sum = row_sum(g, y, width, partial, [](float dy, float) { return dy; });
  map(own_block(), g, y, dx, width, [=](float dy, float log_p) { return dy - __expf(log_p) * sum; });
}

#define NORMALIZED(NAME, T, SUFFIX)                                                                           \
  extern "C" __global__ void NAME##_forward_##SUFFIX(const T* x, T* y, int rows, int width) {                 \
    for (long long row = blockIdx.x; row < rows; row += gridDim.x)                                            \
      NAME##_forward(x + row * width, y + row * width, width);                                                \
  }                                                                                                           \
  extern "C" __global__ void NAME##_backward_##SUFFIX(const T* g, const T* y, T* dx, int rows, int width) {   \
    for (long long row = blockIdx.x; row < rows; row += gridDim.x)                                            \
      NAME##_backward(g + row * width, y + row * width, dx + row * width, width);                             \
  }

#define ENTRIES(T, SUFFIX)                                                                                    \
  NORMALIZED(softmax, T, SUFFIX)                                                                              \
  NORMALIZED(log_softmax, T, SUFFIX)

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
