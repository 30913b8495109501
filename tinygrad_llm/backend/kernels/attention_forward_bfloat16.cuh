// attention_forward_bfloat16_HEAD: out = softmax(scale q k^T) v, and lse (B, H, T) in float; see attention_common.cuh.
//
// A block owns some queries of one head and meets the keys and values in tiles. The queries stay where the tensor cores
// take them from. While one tile is worked on, the next is on its way: two pairs of tiles (keys, values) take turns.
// Grid: for each of B H heads its blocks of queries, the last ones first: where causal, they have the most keys.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

// Hides the scores of keys, from `first` on, that the queries, from `own` on, do not see.
template <int M, int N>
__device__ __forceinline__ void hide(float (&scores)[M][N][4], const Lane& lane, int own, int first, const Sizes& sizes,
                                     int causal) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int c = 0; c < 4; c++) {
      int last = last_key(own + row_in_warp(lane, m, c), sizes, causal) - first;
#pragma unroll
      for (int n = 0; n < N; n++) {
        int key = column_in_tile(lane, n, c);
        if (key > last || key < first_key(last, sizes)) scores[m][n][c] = -INFINITE;
      }
    }
}

// What the online softmax remembers of a row.
template <int M>
struct Running {
  float top[M][2];    // the largest score so far, times scale log2 e
  float total[M][2];  // sum of 2^(score - top), over this lane's columns alone until the end
};

// scores -> 2^(score - top), and what was summed so far is set to the new top.
template <int HEAD, int M, int N>
__device__ __forceinline__ void softmax_step(float (&scores)[M][N][4], Running<M>& run,
                                             float (&out)[M][HEAD / COLUMNS][4], float scale_log2) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float top = -INFINITE;
#pragma unroll
      for (int n = 0; n < N; n++) top = fmaxf(top, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(EVERYONE, top, 1));  // a row lies in four lanes
      top = fmaxf(top, __shfl_xor_sync(EVERYONE, top, 2));
      top = fmaxf(run.top[m][half], top * scale_log2);
      float shift = top == -INFINITE ? 0.0f : top;  // nothing seen yet: -inf - (-inf) would be NaN
      float shrink = power_of_2(run.top[m][half] - shift);
      float total = run.total[m][half] * shrink;
#pragma unroll
      for (int n = 0; n < N; n++)
#pragma unroll
        for (int c = 2 * half; c < 2 * half + 2; c++) {
          scores[m][n][c] = power_of_2(scores[m][n][c] * scale_log2 - shift);
          total += scores[m][n][c];
        }
#pragma unroll
      for (int h = 0; h < HEAD / COLUMNS; h++) {
        out[m][h][2 * half] *= shrink;
        out[m][h][2 * half + 1] *= shrink;
      }
      run.top[m][half] = top;
      run.total[m][half] = total;
    }
}

template <int M, int STEPS>
__device__ __forceinline__ void drop_weights(unsigned int (&weights)[M][STEPS][4], const Dropout& drop,
                                             const Lane& lane, int own, int s) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int i = 0; i < STEPS; i++) {
      int t = own + row_in_warp(lane, m, 0), key = s + column_in_tile(lane, 2 * i, 0);
      drop_operand(weights[m][i], kept_of_query_rows(drop, t, key));
    }
}

// out / total; and lse, which one of the four lanes that share a row writes. A query that saw nothing has total 0.
template <int HEAD, int M>
__device__ __forceinline__ void finish_rows(float (&out)[M][HEAD / COLUMNS][4], const Running<M>& run, float* lse,
                                            int own, int count, const Lane& lane, float factor) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float total = run.total[m][half];
      total += __shfl_xor_sync(EVERYONE, total, 1);
      total += __shfl_xor_sync(EVERYONE, total, 2);
      float inverse = total == 0.0f ? 0.0f : factor / total;
#pragma unroll
      for (int h = 0; h < HEAD / COLUMNS; h++) {
        out[m][h][2 * half] *= inverse;
        out[m][h][2 * half + 1] *= inverse;
      }
      int t = own + row_in_warp(lane, m, 2 * half);
      if (t < count && lane.column == 0) lse[t] = total == 0.0f ? INFINITE : run.top[m][half] * LN_2 + logf(total);
    }
}

template <int HEAD, bool DROPOUT>
__device__ __forceinline__ void attention_forward(const Heads<const bfloat16>& q, const Heads<const bfloat16>& k,
                                                  const Heads<const bfloat16>& v, const Heads<bfloat16>& out,
                                                  float* lse, const int* lengths, Sizes sizes, int causal,
                                                  float scale, const Dropout& drop, int head, int block) {
  typedef ForwardPlan<HEAD, DROPOUT> P;
  const int M = P::M, N = P::N, QUERIES = P::OWN, KEYS = P::OTHER, TILE = KEYS * stride<HEAD>();
  SHARED_BYTES(memory);
  bfloat16* tiles = (bfloat16*)memory;  // keys, values, keys, values
  bfloat16* own_queries = tiles + P::BEFORE_QUERIES * TILE;
  const Lane lane = this_lane();
  const int b = head / sizes.H, h = head % sizes.H, group = h / (sizes.H / sizes.G);
  const int first = block * QUERIES, own = first + lane.warp * M * ROWS;  // of the block, of the warp
  sizes.S = keys_of(lengths, b, sizes.S);
  const int begin = max(0, first_key(last_key(first, sizes, causal), sizes)) / KEYS * KEYS;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K);
  auto tile_pairs = tile_reader<KEYS, HEAD, P::THREADS>(begin, sizes.K, pieces, rows_of(k, b, group, sizes.S),
                                                        rows_of(v, b, group, sizes.S));

  tile_reader<QUERIES, HEAD, P::THREADS>(first, sizes.K, pieces, rows_of(q, b, h, sizes.T))
      .load(own_queries, first);
  tile_pairs.load(tiles, begin);
  cp_async_commit();
  tiles_arrived();
  OwnRows<HEAD, M> queries;
  take_rows(queries, own_queries, own - first);

  float result[M][HEAD / COLUMNS][4];
  set_zero(result);
  Running<M> run;
  for (int m = 0; m < M; m++)
    for (int half = 0; half < 2; half++) run.top[m][half] = -INFINITE, run.total[m][half] = 0.0f;
  // Up to here all queries of the warp see all keys; with a window each tile is looked at, to save a register.
  const int warp_low = sizes.window < sizes.S ? -1 : last_key(own, sizes, causal);
  const int high = last_key(first_together(own) + rows_together<M>() - 1, sizes, causal);
  const int stop = last_key(first + QUERIES - 1, sizes, causal) + 1;

  for (int s = begin, turn = 0; s < stop; s += KEYS, turn ^= 1) {
    const bfloat16* tile = tiles + turn * 2 * TILE;
    tiles_arrived();
    if (s + KEYS < stop) {
      tile_pairs.load(tiles + (turn ^ 1) * 2 * TILE, s + KEYS);
      cp_async_commit();
    }
    if (s > high) continue;  // above the diagonal
    float scores[M][N][4];
    multiply_rows(scores, queries, tile);
    if (s + KEYS - 1 > warp_low) hide(scores, lane, own, s, sizes, causal);
    softmax_step<HEAD>(scores, run, result, scale * LOG2_E);
    unsigned int weights[M][N / 2][4];
    pack(weights, scores);
    if (DROPOUT) drop_weights(weights, drop, lane, own, s);
    add_weighted_rows<HEAD>(result, weights, tile + TILE);
  }

  finish_rows<HEAD>(result, run, lse + (long long)head * sizes.T, own, sizes.T, lane, drop.factor);
  store_rows<HEAD>(rows_of(out, b, h, sizes.T), own, sizes.K, in_pieces_of_16(out, sizes.K), lane, result, 1.0f);
}

#define ATTENTION_FORWARD(HEAD, DROPOUT, SUFFIX)                                                                      \
  const int THREADS_##SUFFIX = ForwardPlan<HEAD, DROPOUT>::THREADS;                                                   \
  const int BLOCKS_##SUFFIX = ForwardPlan<HEAD, DROPOUT>::BLOCKS;                                                     \
  extern "C" __global__ void __launch_bounds__(THREADS_##SUFFIX, BLOCKS_##SUFFIX)                                     \
  attention_forward_##SUFFIX(                                                                                         \
      ATTENTION_ARRAY(const bfloat16, q), ATTENTION_ARRAY(const bfloat16, k), ATTENTION_ARRAY(const bfloat16, v),     \
      ATTENTION_ARRAY(bfloat16, out), float* lse, ATTENTION_OPTIONS) {                                                \
    const int OWN = ForwardPlan<HEAD, DROPOUT>::OWN;                                                                  \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                         \
    int blocks = (T + OWN - 1) / OWN, head = blockIdx.x / blocks, block = blocks - 1 - blockIdx.x % blocks;           \
    attention_forward<HEAD, DROPOUT>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(out),\
                                     lse, lengths, sizes, causal, scale, make_dropout(counter, p, call, head), head,  \
                                     block);                                                                          \
  }

#endif
