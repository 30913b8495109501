// after: packs.cuh
//
// The end of a training step, from the flat gradient to the new parameters, without the host seeing a number:
//
//   square_sums   the sum of g^2 over what each block takes
//   finish_norm   from these the norm of the gradient, the factor that clips it, and whether all is finite
//   adamw, sgd    the update, or none once something was not finite
//   log_losses    loss and norm into a ring that the host reads now and then
//
// All of it is float32: activations may be bfloat16, parameters and what belongs to them never are. What changes from
// step to step lies in the GPU's memory, since a recorded step is replayed with the very same arguments:
//
//   hyper   [0] learning rate lr   [1] lr / (1 - beta1^t)   [2] 1 / sqrt(1 - beta2^t)   [3] lr decay   [4] step t
//   state   [0] norm   [1] clip factor   [2] 1 while all was finite, else 0   [3] the step at which [2] fell
//
// A float counts steps exactly up to 2^24, sixteen million.
//
// Launch adamw and sgd with any grid and block: a thread for each pack of four and blocks of 256 are right. square_sums
// takes two blocks a multiprocessor or so, whose number is the length of `parts`; finish_norm and log_losses one block.

const int PACK = 4;  // floats in 16 bytes

enum Hyper { LR, STEP_SIZE, CORRECTION, DECAY, STEP };
enum State { NORM, CLIP, FINITE, FELL_AT };

__device__ __forceinline__ bool is_finite(float x) { return x - x == 0.0f; }  // inf - inf and NaN - NaN are NaN

// parts (as many as blocks): each thread adds up its packs, then the block its threads, always in the same order.
extern "C" __global__ void square_sums(const float* g, float* parts, long long n) {
  __shared__ float partial[WARP];
  float own = 0.0f;
  for_packs<PACK>(whole_grid(), n, before_packs(n, g), [&](auto count, long long i) {
    const int N = count.value;
    Numbers<N> x = load<N>(g + i);
    for (int k = 0; k < N; k++) own += x.at[k] * x.at[k];
  });
  float sum = block_sum(own, partial);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// clip = min(1, max_norm / (norm + 1e-6)), and 1 where max_norm is 0. One block. The flag only ever falls here: the
// host raises it again when it has seen what happened. Nothing is updated from then on, so it may look late.
extern "C" __global__ void finish_norm(const float* parts, int count, const float* loss, float max_norm,
                                       const float* hyper, float* state) {
  __shared__ float partial[WARP];
  float own = 0.0f;
  for (int i = threadIdx.x; i < count; i += blockDim.x) own += parts[i];
  float norm = sqrtf(block_sum(own, partial));
  if (threadIdx.x != 0) return;
  state[NORM] = norm;
  state[CLIP] = max_norm > 0.0f ? fminf(1.0f, max_norm / (norm + 1e-6f)) : 1.0f;
  if (state[FINITE] != 0.0f && !(is_finite(norm) && is_finite(*loss))) {
    state[FINITE] = 0.0f;
    state[FELL_AT] = hyper[STEP];
  }
}

// m += (g - m)(1 - beta1),  v += (g^2 - v)(1 - beta2)
// w *= 1 - lr decay,  w -= step_size m / (sqrt(v) correction + eps)
//
// The first n_decaying entries decay, no others. beta1 and beta2 are double: 1 - 0.999f is off by 13 millionths, more
// than all the rest together. Seven numbers are moved for each parameter, and memory is the only limit.
extern "C" __global__ void adamw(float* w, float* m, float* v, const float* g, long long n, long long n_decaying,
                                 const float* hyper, const float* state, double beta1, double beta2, float eps) {
  if (state[FINITE] == 0.0f) return;
  float clip = state[CLIP], step_size = hyper[STEP_SIZE], correction = hyper[CORRECTION], keep = 1.0f - hyper[DECAY];
  float rate1 = (float)(1.0 - beta1), rate2 = (float)(1.0 - beta2);
  for_packs<PACK>(whole_grid(), n, before_packs(n, w, m, v, g), [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> x = load<N>(w + i), first = load<N>(m + i), second = load<N>(v + i), slope = load<N>(g + i);
    for (int k = 0; k < N; k++) {
      float a = slope.at[k] * clip;
      first.at[k] += (a - first.at[k]) * rate1;
      second.at[k] += (a * a - second.at[k]) * rate2;
      if (i + k < n_decaying) x.at[k] *= keep;
      x.at[k] -= step_size * (first.at[k] / (sqrtf(second.at[k]) * correction + eps));
    }
    store(w + i, x);
    store(m + i, first);
    store(v + i, second);
  });
}

// u = g + decay w for the first n_decaying entries, else g. With a velocity (null without momentum): velocity =
// momentum velocity + u, and u = velocity, or u + momentum velocity with nesterov. Then w -= lr u.
extern "C" __global__ void sgd(float* w, float* velocity, const float* g, long long n, long long n_decaying,
                               const float* hyper, const float* state, float momentum, int nesterov, float decay) {
  if (state[FINITE] == 0.0f) return;
  float clip = state[CLIP], lr = hyper[LR];
  for_packs<PACK>(whole_grid(), n, before_packs(n, w, g, velocity), [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> x = load<N>(w + i), slope = load<N>(g + i), moving = {};
    if (velocity) moving = load<N>(velocity + i);
    for (int k = 0; k < N; k++) {
      float u = slope.at[k] * clip;
      if (i + k < n_decaying) u += decay * x.at[k];
      moving.at[k] = momentum * moving.at[k] + u;
      if (velocity) u = nesterov ? u + momentum * moving.at[k] : moving.at[k];
      x.at[k] -= lr * u;
    }
    store(w + i, x);
    if (velocity) store(velocity + i, moving);
  });
}

// ring (ring_size, 2): row step % ring_size = (loss, norm). One thread writes.
extern "C" __global__ void log_losses(const float* loss, const float* state, float* ring, const float* hyper,
                                      int ring_size) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  long long row = (long long)hyper[STEP] % ring_size;
  ring[2 * row] = *loss;
  ring[2 * row + 1] = state[NORM];
}
