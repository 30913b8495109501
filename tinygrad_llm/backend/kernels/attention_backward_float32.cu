// after: attention_common.cuh attention_float32.cuh
//
// attention_backward_keys_float32_HEAD: dk and dv. A block owns some keys of one key head and meets, in tiles, the
// queries that see them, of all heads that share this key head.
// attention_backward_queries_float32_HEAD: dq. A block owns some queries of one head and meets the keys that they see.
//
// Both recompute the weights from lse (attention_common.cuh has the formulas) and need delta from attention_delta. What
// a block owns lies in the rows of its products: the first kernel computes P^T and dS^T, the second dS.

// ---- dq -------------------------------------------------------------------------------------------------------------

template <int HEAD>
__device__ __forceinline__ void queries_backward(const Heads<const float>& q, const Heads<const float>& k,
                                                 const Heads<const float>& v, const Heads<const float>& g,
                                                 const Heads<float>& dq, const float* lse, const float* delta,
                                                 const int* lengths, Sizes sizes, int causal, float scale,
                                                 const Dropout& drop, int head, int block) {
  typedef Plan<HEAD> P;
  SHARED_BYTES(memory);
  float *own_q = (float*)memory, *own_g = own_q + P::OWN_TILE, *keys = own_g + P::OWN_TILE;
  float *values = keys + P::OTHER_TILE, *weights = values + P::OTHER_TILE;
  const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;
  const int b = head / sizes.H, h = head % sizes.H, group = h / (sizes.H / sizes.G), first = block * P::OWN;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K) &&
                      in_pieces_of_16(g, sizes.K);
  load_tile<P::OWN, HEAD>(own_q, rows_of(q, b, h, sizes.T), first, sizes.K, pieces);
  load_tile<P::OWN, HEAD>(own_g, rows_of(g, b, h, sizes.T), first, sizes.K, pieces);
  sizes.S = keys_of(lengths, b, sizes.S);
  const int begin = max(0, first_key(last_key(first, sizes, causal), sizes)) / P::OTHER * P::OTHER;

  float result[P::R][4 * P::H], row_lse[P::R], row_delta[P::R];
  set_zero(result);
#pragma unroll
  for (int i = 0; i < P::R; i++) {
    int t = first + y + DOWN * i;
    row_lse[i] = t < sizes.T ? lse[(long long)head * sizes.T + t] * LOG2_E : INFINITE;
    row_delta[i] = t < sizes.T ? delta[(long long)head * sizes.T + t] : 0.0f;
  }

  const int stop = last_key(first + P::OWN - 1, sizes, causal) + 1;
  for (int s = begin; s < stop; s += P::OTHER) {
    __syncthreads();  // nobody reads the last tiles any more
    load_tile<P::OTHER, HEAD>(keys, rows_of(k, b, group, sizes.S), s, sizes.K, pieces);
    load_tile<P::OTHER, HEAD>(values, rows_of(v, b, group, sizes.S), s, sizes.K, pieces);
    __syncthreads();
    float p[P::R][P::C], ds[P::R][P::C];
    multiply_tiles<HEAD>(p, own_q, keys, x, y);
    multiply_tiles<HEAD>(ds, own_g, values, x, y);
    if (drop.threshold) {
      float factors[P::R][P::C];
      draw_factors<HEAD, true>(factors, weights, drop, first, s, x, y);
#pragma unroll
      for (int i = 0; i < P::R; i++)
#pragma unroll
        for (int j = 0; j < P::C; j++) ds[i][j] *= factors[i][j];
    }
#pragma unroll
    for (int i = 0; i < P::R; i++)
#pragma unroll
      for (int j = 0; j < P::C; j++) {
        bool seen = within(last_key(first + y + DOWN * i, sizes, causal), s + x + ACROSS * j, sizes);
        float weight = seen ? power_of_2(p[i][j] * (scale * LOG2_E) - row_lse[i]) : 0.0f;
        ds[i][j] = weight * (ds[i][j] - row_delta[i]);
      }
    share_weights<HEAD>(weights, ds, x, y);
    add_weighted_rows<HEAD>(result, weights, keys, x, y);
  }
  float factor[P::R];
#pragma unroll
  for (int i = 0; i < P::R; i++) factor[i] = scale;
  store_rows<HEAD>(rows_of(dq, b, h, sizes.T), first, sizes.K, x, y, result, factor);
}

// ---- dk and dv ------------------------------------------------------------------------------------------------------

template <int HEAD>
__device__ __forceinline__ void keys_backward(const Heads<const float>& q, const Heads<const float>& k,
                                              const Heads<const float>& v, const Heads<const float>& g,
                                              const Heads<float>& dk, const Heads<float>& dv, const float* lse,
                                              const float* delta, const int* lengths, Sizes sizes, int causal,
                                              float scale, Dropout drop, int key_head, int block) {
  typedef Plan<HEAD> P;
  SHARED_BYTES(memory);
  float *own_k = (float*)memory, *own_v = own_k + P::OWN_TILE, *queries = own_v + P::OWN_TILE;
  float *gradients = queries + P::OTHER_TILE, *weights = gradients + P::OTHER_TILE;
  float *tile_lse = weights + P::WEIGHTS, *tile_delta = tile_lse + P::OTHER;
  const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;
  const int b = key_head / sizes.G, group = key_head % sizes.G, repeats = sizes.H / sizes.G, first = block * P::OWN;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K) &&
                      in_pieces_of_16(g, sizes.K);
  const int with_padding = sizes.S;
  sizes.S = keys_of(lengths, b, sizes.S);
  load_tile<P::OWN, HEAD>(own_k, rows_of(k, b, group, sizes.S), first, sizes.K, pieces);
  load_tile<P::OWN, HEAD>(own_v, rows_of(v, b, group, sizes.S), first, sizes.K, pieces);
  float dkeys[P::R][4 * P::H], dvalues[P::R][4 * P::H];
  set_zero(dkeys);
  set_zero(dvalues);

  // The queries that see a key of the block; none where all of its keys are padding.
  const int last = min(first + P::OWN, sizes.S) - 1;
  const int from = max(0, first_query(first, sizes, causal)) / P::OTHER * P::OTHER;
  const int stop = first < sizes.S ? min(sizes.T, first_query(last, sizes, causal) + sizes.window) : 0;
  for (int h = group * repeats; h < (group + 1) * repeats; h++) {
    drop.head = b * sizes.H + h;
    for (int t = from; t < stop; t += P::OTHER) {
      __syncthreads();  // nobody reads the last tiles any more
      load_tile<P::OTHER, HEAD>(queries, rows_of(q, b, h, sizes.T), t, sizes.K, pieces);
      load_tile<P::OTHER, HEAD>(gradients, rows_of(g, b, h, sizes.T), t, sizes.K, pieces);
      if (threadIdx.x < P::OTHER) {  // a query beyond the last has weight 0, as if it looked nowhere
        int query = t + threadIdx.x;
        long long at = (long long)drop.head * sizes.T + query;
        tile_lse[threadIdx.x] = query < sizes.T ? lse[at] * LOG2_E : INFINITE;
        tile_delta[threadIdx.x] = query < sizes.T ? delta[at] : 0.0f;
      }
      __syncthreads();
      float p[P::R][P::C], ds[P::R][P::C], factors[P::R][P::C];
      multiply_tiles<HEAD>(p, own_k, queries, x, y);
      if (drop.threshold) draw_factors<HEAD, false>(factors, weights, drop, t, first, x, y);
#pragma unroll
      for (int i = 0; i < P::R; i++)
#pragma unroll
        for (int j = 0; j < P::C; j++) {
          int query = x + ACROSS * j, key = first + y + DOWN * i;
          bool seen = key < sizes.S && within(t + query, first_query(key, sizes, causal), sizes);
          p[i][j] = seen ? power_of_2(p[i][j] * (scale * LOG2_E) - tile_lse[query]) : 0.0f;
          if (!drop.threshold) factors[i][j] = 1.0f;
          ds[i][j] = p[i][j] * factors[i][j];
        }
      share_weights<HEAD>(weights, ds, x, y);
      add_weighted_rows<HEAD>(dvalues, weights, gradients, x, y);
      multiply_tiles<HEAD>(ds, own_v, gradients, x, y);
#pragma unroll
      for (int i = 0; i < P::R; i++)
#pragma unroll
        for (int j = 0; j < P::C; j++)
          ds[i][j] = p[i][j] * (ds[i][j] * factors[i][j] - tile_delta[x + ACROSS * j]);
      share_weights<HEAD>(weights, ds, x, y);
      add_weighted_rows<HEAD>(dkeys, weights, queries, x, y);
    }
  }
  float dk_factor[P::R], dv_factor[P::R];
#pragma unroll
  for (int i = 0; i < P::R; i++) dk_factor[i] = scale, dv_factor[i] = 1.0f;
  store_rows<HEAD>(rows_of(dk, b, group, with_padding), first, sizes.K, x, y, dkeys, dk_factor);
  store_rows<HEAD>(rows_of(dv, b, group, with_padding), first, sizes.K, x, y, dvalues, dv_factor);
}

// ---- entry points ---------------------------------------------------------------------------------------------------

#define ATTENTION_INPUTS                                                                             \
  ATTENTION_ARRAY(const float, q), ATTENTION_ARRAY(const float, k), ATTENTION_ARRAY(const float, v), \
      ATTENTION_ARRAY(const float, g)

#define ATTENTION_BACKWARD(HEAD)                                                                                \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_backward_queries_float32_##HEAD(              \
      ATTENTION_INPUTS, ATTENTION_ARRAY(float, dq), const float* lse, const float* delta, ATTENTION_OPTIONS) {  \
    const int OWN = Plan<HEAD>::OWN;                                                                            \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                   \
    int blocks = (T + OWN - 1) / OWN, head = blockIdx.x / blocks, block = blocks - 1 - blockIdx.x % blocks;     \
    queries_backward<HEAD>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(g),      \
                           ATTENTION_HEADS(dq), lse, delta, lengths, sizes, causal, scale,                      \
                           make_dropout(counter, p, call, head), head, block);                                  \
  }                                                                                                             \
  extern "C" __global__ void __launch_bounds__(THREADS) attention_backward_keys_float32_##HEAD(                 \
      ATTENTION_INPUTS, ATTENTION_ARRAY(float, dk), ATTENTION_ARRAY(float, dv), const float* lse,               \
      const float* delta, ATTENTION_OPTIONS) {                                                                  \
    const int OWN = Plan<HEAD>::OWN;                                                                            \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                   \
    int blocks = (S + OWN - 1) / OWN, key_head = blockIdx.x / blocks, block = blockIdx.x % blocks;              \
    keys_backward<HEAD>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(g),         \
                        ATTENTION_HEADS(dk), ATTENTION_HEADS(dv), lse, delta, lengths, sizes, causal, scale,    \
                        make_dropout(counter, p, call, 0), key_head, block);                                    \
  }

ATTENTION_BACKWARD(32)
ATTENTION_BACKWARD(64)
ATTENTION_BACKWARD(128)
