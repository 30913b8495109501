// after: packs.cuh exponentials.cuh
//
// Cross-entropy: how surprised the model is by each right token, in nats.  (rows, width), (rows) -> (rows)
//
//   lse = max + ln sum e^(x - max),   loss = lse - (1 - e) x[target] - e mean(x),   e = smoothing
//   d = (e^(x - lse) - q) g scale,    q = e / width everywhere, and 1 - e more at the target
//
// A row whose target is `ignore` has loss 0 and gradient 0. A target outside [0, width) makes both NaN: a kernel cannot
// raise an error, but a NaN is found. One block a row. Forward reads the logits once; backward reads lse and needs no
// sum, so d may be the logits' own memory. Rows begin `stride` entries apart, those of d `d_stride`: what lies between
// them is neither read nor written. An odd stride, as GPT-2's 50257 columns have it without a gap, lets most rows begin
// between packs.
//
// Launch with any number of blocks, one for each row is right: of one warp up to about 128 columns, else of 256
// threads; forward, which waits for all of a row twice, of 512 beyond some thousands.

template <typename T>
__device__ void cross_entropy_forward(const T* logits, long long target, float* loss, float* lse, int width,
                                      long long ignore, float smoothing) {
  __shared__ float partial[WARP];
  bool ignored = target == ignore, outside = target < 0 || target >= width;
  if (ignored || outside) {  // the whole block agrees on this, so nobody waits for a thread that has left
    if (threadIdx.x == 0) *loss = *lse = ignored ? 0.0f : not_a_number();
    return;
  }
  Exponentials own = {minus_infinity(), 0.0f};
  float own_plain = 0.0f;
  for_packs<16 / sizeof(T)>(own_block(), width, before_packs(width, logits), [&](auto count, long long i) {
    const int N = count.value;
    Numbers<N> x = load<N>(logits + i);
    include(own, x);
    for (int k = 0; k < N; k++) own_plain += x.at[k];
  });
  Exponentials all = of_block(own, partial);
  float wanted = to_float(logits[target]);
  if (smoothing != 0.0f) wanted = (1.0f - smoothing) * wanted + smoothing * (block_sum(own_plain, partial) / width);
  if (threadIdx.x == 0) {
    *lse = all.top + logf(all.sum);
    *loss = logf(all.sum) + (all.top - wanted);
  }
}

template <typename T>
__device__ void cross_entropy_backward(const T* logits, long long target, float lse, float weight, T* d, int width,
                                       long long ignore, float smoothing) {
  bool ignored = target == ignore, outside = target < 0 || target >= width;
  if (outside && !ignored) weight = not_a_number();
  float everywhere = smoothing / width, at_target = 1.0f - smoothing;
  for_packs<16 / sizeof(T)>(own_block(), width, before_packs(width, logits, d), [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> x = {};
    if (!ignored) {
      x = load<N>(logits + i);
      int wanted = (int)(target - i);  // a target inside is less than `width` away
      for (int k = 0; k < N; k++) {
        float q = k == wanted ? everywhere + at_target : everywhere;
        x.at[k] = (__expf(x.at[k] - lse) - q) * weight;
      }
    }
    store(d + i, x);
  });
}

#define ENTRIES(T, SUFFIX)                                                                                    \
  extern "C" __global__ void cross_entropy_forward_##SUFFIX(const T* logits, const long long* targets,        \
                                                            float* losses, float* lse, int rows, int width,   \
                                                            int stride, long long ignore, float smoothing) {  \
    for (long long row = blockIdx.x; row < rows; row += gridDim.x)                                            \
      cross_entropy_forward(logits + row * stride, targets[row], losses + row, lse + row, width, ignore,      \
                            smoothing);                                                                       \
  }                                                                                                           \
  extern "C" __global__ void cross_entropy_backward_##SUFFIX(                                                 \
      const T* logits, const long long* targets, const float* lse, const float* g, int per_row, float scale,  \
      T* d, int d_stride, int rows, int width, int stride, long long ignore, float smoothing) {               \
    for (long long row = blockIdx.x; row < rows; row += gridDim.x)                                            \
      cross_entropy_backward(logits + row * stride, targets[row], lse[row], g[per_row ? row : 0] * scale,     \
                             d + row * d_stride, width, ignore, smoothing);                                   \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
