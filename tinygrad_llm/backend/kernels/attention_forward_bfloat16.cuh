// attention_forward_bfloat16_HEAD: out = softmax(scale q k^T) v, and lse (B, H, T) in float; see attention_common.cuh.
//
// A block owns some queries of one head and meets the keys and values in tiles: keys, their values, the next keys, and
// so on. The queries stay where the tensor cores take them from. There is room for three tiles: one is worked on, the
// next is there or on its way, and the one after that is asked for as soon as nobody reads its place any more.
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

// What the online softmax remembers of a row. Any shift is right, for it cancels; it has to be near the largest score
// only so that no weight overflows. So it follows when a score is SLACK above it, which is seldom after the first tile,
// and what was summed is seldom multiplied. The rows of a warp follow together, so a row's last bits depend on its
// neighbours. Source: Zadouri et al., "FlashAttention-4", 2026.
const float SLACK = 8.0f;  // weights of at most 2^8

template <int M>
struct Running {
  float shift[M][2];  // in scores times scale log2 e
  float total[M][2];  // sum of 2^(score - shift), over this lane's columns alone until the end
};

// Moves the shifts up to the largest scores so far, and what was summed with them.
template <int HEAD, int M>
__device__ __forceinline__ void follow(Running<M>& run, float (&out)[M][HEAD / COLUMNS][4], float (&top)[M][2]) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float shift = top[m][half];
      shift = fmaxf(shift, __shfl_xor_sync(EVERYONE, shift, 1));  // a row lies in four lanes
      shift = fmaxf(shift, __shfl_xor_sync(EVERYONE, shift, 2));
      shift = fmaxf(shift, run.shift[m][half]);
      float shrink = shift == -INFINITE ? 1.0f : power_of_2(run.shift[m][half] - shift);  // -inf - (-inf) would be NaN
      run.shift[m][half] = shift;
      run.total[m][half] *= shrink;
#pragma unroll
      for (int h = 0; h < HEAD / COLUMNS; h++) {
        out[m][h][2 * half] *= shrink;
        out[m][h][2 * half + 1] *= shrink;
      }
    }
}

// scores -> 2^(score - shift), with shifts that are near enough.
template <int HEAD, int M, int N>
__device__ __forceinline__ void softmax_step(float (&scores)[M][N][4], Running<M>& run,
                                             float (&out)[M][HEAD / COLUMNS][4], float scale_log2) {
  float top[M][2];
  bool rises = false;
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float largest = -INFINITE;
#pragma unroll
      for (int n = 0; n < N; n++)
        largest = fmaxf(largest, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
      top[m][half] = largest * scale_log2;
      rises |= top[m][half] > run.shift[m][half] + SLACK;
    }
  if (__any_sync(EVERYONE, rises)) follow<HEAD>(run, out, top);
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float shift = run.shift[m][half] == -INFINITE ? 0.0f : run.shift[m][half];  // nothing seen yet
#pragma unroll
      for (int n = 0; n < N; n++)
#pragma unroll
        for (int c = 2 * half; c < 2 * half + 2; c++) {
          scores[m][n][c] = power_of_2(scores[m][n][c] * scale_log2 - shift);
          run.total[m][half] += scores[m][n][c];
        }
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
      if (t < count && lane.column == 0) lse[t] = total == 0.0f ? INFINITE : run.shift[m][half] * LN_2 + logf(total);
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
  bfloat16* tiles = (bfloat16*)memory;
  bfloat16* own_queries = tiles + P::BEFORE_QUERIES * TILE;
  const Lane lane = this_lane();
  const int b = head / sizes.H, h = head % sizes.H, group = h / (sizes.H / sizes.G);
  const int first = block * QUERIES, own = first + lane.warp * M * ROWS;  // of the block, of the warp
  sizes.S = keys_of(lengths, b, sizes.S);
  const int begin = max(0, first_key(last_key(first, sizes, causal), sizes)) / KEYS * KEYS;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K);
  auto keys = tile_reader<KEYS, HEAD, P::THREADS>(begin, sizes.K, pieces, rows_of(k, b, group, sizes.S));
  auto values = tile_reader<KEYS, HEAD, P::THREADS>(begin, sizes.K, pieces, rows_of(v, b, group, sizes.S));

  tile_reader<QUERIES, HEAD, P::THREADS>(first, sizes.K, pieces, rows_of(q, b, h, sizes.T))
      .load(own_queries, first);
  keys.load(tiles, begin);
  cp_async_commit();
  values.load(tiles + TILE, begin);
  cp_async_commit();
  tiles_arrived<1>();
  OwnRows<HEAD, M> queries;
  take_rows(queries, own_queries, own - first);

  float result[M][HEAD / COLUMNS][4];
  set_zero(result);
  Running<M> run;
  for (int m = 0; m < M; m++)
    for (int half = 0; half < 2; half++) run.shift[m][half] = -INFINITE, run.total[m][half] = 0.0f;
  // Up to here all queries of the warp see all keys; with a window each tile is looked at, to save a register.
  const int warp_low = sizes.window < sizes.S ? -1 : last_key(own, sizes, causal);
  const int high = last_key(first_together(own) + rows_together<M>() - 1, sizes, causal);
  const int stop = last_key(first + QUERIES - 1, sizes, causal) + 1;

  for (int s = begin; s < stop;) {
#pragma unroll
    for (int turn = 0; turn < 3; turn++, s += KEYS) {  // after three all lie in their first places again
      if (s >= stop) break;
      bfloat16 *key_tile = tiles + 2 * turn % 3 * TILE, *value_tile = tiles + (2 * turn + 1) % 3 * TILE;
      const bool more = s + KEYS < stop, seen = s <= high;  // else above the diagonal
      float scores[M][N][4];
      unsigned int weights[M][N / 2][4];

      tiles_arrived<1>();
      if (more) keys.load(tiles + (2 * turn + 2) % 3 * TILE, s + KEYS);
      cp_async_commit();  // also of nothing: groups are counted
      if (seen) {
        multiply_rows(scores, queries, key_tile);
        products_arrived<0>(scores);
        if (s + KEYS - 1 > warp_low) hide(scores, lane, own, s, sizes, causal);
        softmax_step<HEAD>(scores, run, result, scale * LOG2_E);
        pack(weights, scores);
        if (DROPOUT) drop_weights(weights, drop, lane, own, s);
      }
      tiles_arrived<1>();
      if (more) values.load(key_tile, s + KEYS);
      cp_async_commit();
      if (seen) {
        add_weighted_rows<HEAD>(result, weights, value_tile);
        products_arrived<0>(result);
      }
    }
  }
  cp_async_wait<0>();  // a block without keys has not waited for its first tiles

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
