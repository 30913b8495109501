// after: packs.cuh
//
// The non-linear functions between two linear layers, forward and backward, element by element:
//
//   gelu_tanh   y = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
//   gelu_erf    y = x (1 + erf(x / sqrt 2)) / 2
//   silu        y = x sigmoid(x)
//   swiglu      y = silu(gate) up
//
// The GELUs come with a bias, too: of x + bias, in each of the rows of x (rows, width). The linear layer that made x
// leaves it to them, since here x is in registers anyway. The way back forms the sum again, and what it gives, dL/dx,
// is the gradient of that sum: its rows add up to the bias's.
//
// Each thread takes packs of 16 bytes of the whole array. Memory sets the pace, if the arithmetic is short: __expf and
// __fdividef are the GPU's quick exponential and division. They are off by some units in the last place of a float, and
// the exponential by a millionth where it is smaller than e^-10, which nothing here can feel.
//
// Launch with any grid and block: a thread for each pack, 16 / sizeof(T) elements, and blocks of 256 are right.

__device__ __forceinline__ float sigmoid(float x) { return __fdividef(1.0f, 1.0f + __expf(-x)); }

// ---- GELU with tanh -------------------------------------------------------------------------------------------------

// (1 + tanh u) / 2 = sigmoid(2 u), and 2 u = x (SLOPE + CUBIC x^2).
const float SLOPE = 1.5957691216057308f;           // 2 sqrt(2/pi)
const float CUBIC = 0.044715f * 1.5957691216057308f;

__device__ __forceinline__ float gelu_tanh(float x) { return x * sigmoid(x * (SLOPE + CUBIC * x * x)); }

__device__ __forceinline__ float gelu_tanh_slope(float x) {
  float h = sigmoid(x * (SLOPE + CUBIC * x * x));
  return h + x * h * (1.0f - h) * (SLOPE + 3.0f * CUBIC * fminf(x * x, 3e38f));  // 0 times infinity is NaN
}

// ---- GELU with erf --------------------------------------------------------------------------------------------------

const float SQRT_HALF = 0.7071067811865476f, DENSITY_AT_0 = 0.3989422804014327f;  // 1/sqrt(2), 1/sqrt(2 pi)

// the complement keeps its digits where 1 + erf has none left
__device__ __forceinline__ float normal_below(float x) { return 0.5f * erfcf(-x * SQRT_HALF); }

__device__ __forceinline__ float gelu_erf(float x) { return x * normal_below(x); }

__device__ __forceinline__ float gelu_erf_slope(float x) {
  return normal_below(x) + x * DENSITY_AT_0 * __expf(-0.5f * x * x);
}

// ---- SiLU and SwiGLU ------------------------------------------------------------------------------------------------

__device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

__device__ __forceinline__ float silu_slope(float x) {
  float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

// dup = g silu(gate), dgate = g up silu'(gate); either may be null where nobody wants it.
template <typename T>
__device__ __forceinline__ void swiglu_backward(const T* g, const T* gate, const T* up, T* dgate, T* dup,
                                                long long n) {
  long long head = before_packs(n, g, gate, up, dgate, dup);
  for_packs<16 / sizeof(T)>(whole_grid(), n, head, [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> dy = load<N>(g + i), a = load<N>(gate + i), b = load<N>(up + i), da, db;
    for (int k = 0; k < N; k++) {
      float s = sigmoid(a.at[k]), activated = a.at[k] * s;
      da.at[k] = dy.at[k] * b.at[k] * (s + activated * (1.0f - s));
      db.at[k] = dy.at[k] * activated;
    }
    if (dgate) store(dgate + i, da);
    if (dup) store(dup + i, db);
  });
}

// ---- with a bias ----------------------------------------------------------------------------------------------------

template <typename T, typename F>
__device__ __forceinline__ void forward_of_sum(const T* x, const float* bias, T* y, long long rows, int width, F f) {
  bool fit = aligned(x) && aligned(bias) && aligned(y);
  for_row_packs<16 / sizeof(T)>(whole_grid(), rows, width, fit, [=](auto count, long long i, int column) {
    const int N = count.value;
    Numbers<N> u = load<N>(x + i), b = load<N>(bias + column);
    for (int k = 0; k < N; k++) u.at[k] = f(u.at[k] + b.at[k]);
    store(y + i, u);
  });
}

template <typename T, typename F>
__device__ __forceinline__ void backward_of_sum(const T* g, const T* x, const float* bias, T* dx, long long rows,
                                                int width, F slope) {
  bool fit = aligned(g) && aligned(x) && aligned(bias) && aligned(dx);
  for_row_packs<16 / sizeof(T)>(whole_grid(), rows, width, fit, [=](auto count, long long i, int column) {
    const int N = count.value;
    Numbers<N> dy = load<N>(g + i), u = load<N>(x + i), b = load<N>(bias + column);
    for (int k = 0; k < N; k++) dy.at[k] *= slope(u.at[k] + b.at[k]);
    store(dx + i, dy);
  });
}

// ---- entry points ---------------------------------------------------------------------------------------------------

#define ACTIVATION(NAME, T, SUFFIX)                                                                           \
  extern "C" __global__ void NAME##_forward_##SUFFIX(const T* x, T* y, long long n) {                         \
    map(whole_grid(), x, y, n, [](float v) { return NAME(v); });                                              \
  }                                                                                                           \
  extern "C" __global__ void NAME##_backward_##SUFFIX(const T* g, const T* x, T* dx, long long n) {           \
    map(whole_grid(), g, x, dx, n, [](float dy, float v) { return dy * NAME##_slope(v); });                   \
  }

#define WITH_BIAS(NAME, T, SUFFIX)                                                                            \
  extern "C" __global__ void NAME##_bias_forward_##SUFFIX(const T* x, const float* bias, T* y,                \
                                                          long long rows, int width) {                        \
    forward_of_sum(x, bias, y, rows, width, [](float u) { return NAME(u); });                                 \
  }                                                                                                           \
  extern "C" __global__ void NAME##_bias_backward_##SUFFIX(const T* g, const T* x, const float* bias, T* dx,  \
                                                           long long rows, int width) {                       \
    backward_of_sum(g, x, bias, dx, rows, width, [](float u) { return NAME##_slope(u); });                    \
  }

#define ENTRIES(T, SUFFIX)                                                                                    \
  ACTIVATION(gelu_tanh, T, SUFFIX)                                                                            \
  ACTIVATION(gelu_erf, T, SUFFIX)                                                                             \
  ACTIVATION(silu, T, SUFFIX)                                                                                 \
  WITH_BIAS(gelu_tanh, T, SUFFIX)                                                                             \
  WITH_BIAS(gelu_erf, T, SUFFIX)                                                                              \
  extern "C" __global__ void swiglu_forward_##SUFFIX(const T* gate, const T* up, T* y, long long n) {         \
    map(whole_grid(), gate, up, y, n, [](float a, float b) { return silu(a) * b; });                          \
  }                                                                                                           \
  extern "C" __global__ void swiglu_backward_##SUFFIX(const T* g, const T* gate, const T* up, T* dgate,       \
                                                      T* dup, long long n) {                                  \
    swiglu_backward(g, gate, up, dgate, dup, n);                                                              \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
