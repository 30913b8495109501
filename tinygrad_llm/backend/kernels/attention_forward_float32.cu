// after: attention_common.cuh attention_float32.cuh
//
// attention_forward_float32_HEAD: out = softmax(scale q k^T) v, and lse (B, H, T); see attention_common.cuh.
//
// A block owns some queries of one head and meets the keys and values in tiles. This is the reference in full
// precision, and the kernel to read first: attention_forward_bfloat16.cu does the same on tensor cores.
// Grid: for each of B H heads its blocks of queries, the last ones first: where causal, they have the most keys.

// scores -> 2^(score - top), and what was summed so far is set to the new top. A row's scores lie in 8 lanes side by
// side.
template <int HEAD>
__device__ __forceinline__ void softmax_step(float (&scores)[Plan<HEAD>::R][Plan<HEAD>::C], float (&top)[Plan<HEAD>::R],
                                             float (&total)[Plan<HEAD>::R],
                                             float (&out)[Plan<HEAD>::R][4 * Plan<HEAD>::H], float scale_log2) {
  typedef Plan<HEAD> P;
#pragma unroll
  for (int i = 0; i < P::R; i++) {
    float most = -INFINITE;
#pragma unroll
    for (int j = 0; j < P::C; j++) most = fmaxf(most, scores[i][j]);
    for (int distance = ACROSS / 2; distance > 0; distance /= 2)
      most = fmaxf(most, __shfl_xor_sync(EVERYONE, most, distance));
    most = fmaxf(top[i], most * scale_log2);
    float shift = most == -INFINITE ? 0.0f : most;  // nothing seen yet: -inf - (-inf) would be NaN
    float shrink = power_of_2(top[i] - shift);
    top[i] = most;
    total[i] *= shrink;
#pragma unroll
    for (int j = 0; j < P::C; j++) {
      scores[i][j] = power_of_2(scores[i][j] * scale_log2 - shift);
      total[i] += scores[i][j];
    }
#pragma unroll
    for (int h = 0; h < 4 * P::H; h++) out[i][h] *= shrink;
  }
}

template <int HEAD>
__device__ __forceinline__ void attention_forward(const Heads<const float>& q, const Heads<const float>& k,
                                                  const Heads<const float>& v, const Heads<float>& out, float* lse,
                                                  const int* lengths, Sizes sizes, int causal, float scale,
                                                  const Dropout& drop, int head, int block) {
  typedef Plan<HEAD> P;
  SHARED_BYTES(memory);
  float *queries = (float*)memory, *keys = queries + P::OWN_TILE, *values = keys + P::OTHER_TILE;
  float* weights = values + P::OTHER_TILE;
  const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;
  const int b = head / sizes.H, h = head % sizes.H, group = h / (sizes.H / sizes.G), first = block * P::OWN;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K);
  load_tile<P::OWN, HEAD>(queries, rows_of(q, b, h, sizes.T), first, sizes.K, pieces);
  sizes.S = keys_of(lengths, b, sizes.S);
  const int begin = max(0, first_key(last_key(first, sizes, causal), sizes)) / P::OTHER * P::OTHER;

  float result[P::R][4 * P::H], top[P::R], total[P::R];
  set_zero(result);
#pragma unroll
  for (int i = 0; i < P::R; i++) top[i] = -INFINITE, total[i] = 0.0f;

  const int stop = last_key(first + P::OWN - 1, sizes, causal) + 1;
  for (int s = begin; s < stop; s += P::OTHER) {
    __syncthreads();  // nobody reads the last tiles any more
    load_tile<P::OTHER, HEAD>(keys, rows_of(k, b, group, sizes.S), s, sizes.K, pieces);
    load_tile<P::OTHER, HEAD>(values, rows_of(v, b, group, sizes.S), s, sizes.K, pieces);
    __syncthreads();
    float scores[P::R][P::C];
    multiply_tiles<HEAD>(scores, queries, keys, x, y);
#pragma unroll
    for (int i = 0; i < P::R; i++)
#pragma unroll
      for (int j = 0; j < P::C; j++)
        if (!within(last_key(first + y + DOWN * i, sizes, causal), s + x + ACROSS * j, sizes))
          scores[i][j] = -INFINITE;
    softmax_step<HEAD>(scores, top, total, result, scale * LOG2_E);
    if (drop.threshold) {
      float factors[P::R][P::C];
      draw_factors<HEAD, true>(factors, weights, drop, first, s, x, y);
#pragma unroll
      for (int i = 0; i < P::R; i++)
#pragma unroll
        for (int j = 0; j < P::C; j++) scores[i][j] *= factors[i][j];
    }
    share_weights<HEAD>(weights, scores, x, y);
    add_weighted_rows<HEAD>(result, weights, values, x, y);
  }

  float factor[P::R];
#pragma unroll
  for (int i = 0; i < P::R; i++) {
    for (int distance = ACROSS / 2; distance > 0; distance /= 2)
      total[i] += __shfl_xor_sync(EVERYONE, total[i], distance);
    factor[i] = total[i] == 0.0f ? 0.0f : 1.0f / total[i];
    int t = first + y + DOWN * i;
    if (t < sizes.T && x == 0)
      lse[(long long)head * sizes.T + t] = total[i] == 0.0f ? INFINITE : top[i] * LN_2 + logf(total[i]);
  }
  store_rows<HEAD>(rows_of(out, b, h, sizes.T), first, sizes.K, x, y, result, factor);
}

#define ATTENTION_FORWARD(HEAD)                                                                                      \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_forward_float32_##HEAD(                            \
      ATTENTION_ARRAY(const float, q), ATTENTION_ARRAY(const float, k), ATTENTION_ARRAY(const float, v),             \
      ATTENTION_ARRAY(float, out), float* lse, ATTENTION_OPTIONS) {                                                  \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                        \
    int blocks = (T + Plan<HEAD>::OWN - 1) / Plan<HEAD>::OWN;                                                        \
    int head = blockIdx.x / blocks, block = blocks - 1 - blockIdx.x % blocks;                                        \
    attention_forward<HEAD>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(out), lse,   \
                            lengths, sizes, causal, scale, make_dropout(counter, p, call, head), head, block);       \
  }

ATTENTION_FORWARD(32)
ATTENTION_FORWARD(64)
ATTENTION_FORWARD(128)
