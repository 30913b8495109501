// attention_backward_keys_bfloat16_HEAD: dk and dv. A block owns some keys of one key head and meets, in tiles, the
// queries that see them, of all heads that share this key head.
// attention_backward_queries_bfloat16_HEAD: dq. A block owns some queries of one head and meets the keys that they see.
//
// Both recompute the weights from lse (attention_common.cuh has the formulas) and need delta from attention_delta. The
// rows of the block's own side stay in shared memory; two pairs of tiles of the other side take turns, so that the next
// is on its way while one is worked on. What a block owns lies in the rows of its products: the first kernel computes
// P^T and dS^T, the second dS, and each has the left operand of its next product in registers already.
// Grid: for each key head its blocks of keys; for each head its blocks of queries, the last first. Where causal, those
// with most to do come first.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

// dS = P (dP - delta), where dP is 0 for a dropped weight.
__device__ __forceinline__ float score_gradient(float weight, float dweight, bool kept, float factor, float delta) {
  return weight * ((kept ? dweight * factor : 0.0f) - delta);
}

// ---- dq -------------------------------------------------------------------------------------------------------------

// lse and delta of this lane's own queries. One beyond the last has weight 0, as if it looked nowhere.
template <int M>
struct RowStatistics {
  float lse[M][2], delta[M][2];
};

template <int M>
__device__ __forceinline__ RowStatistics<M> row_statistics(const float* lse, const float* delta, int head, int own,
                                                           int count, const Lane& lane) {
  RowStatistics<M> row;
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int t = own + row_in_warp(lane, m, 2 * half);
      row.lse[m][half] = t < count ? lse[(long long)head * count + t] * LOG2_E : INFINITE;
      row.delta[m][half] = t < count ? delta[(long long)head * count + t] : 0.0f;
    }
  return row;
}

// Scores -> P. `own` is the warp's first query, `s` the tile's first key.
template <int M, int N>
__device__ __forceinline__ void query_weights(float (&scores)[M][N][4], const RowStatistics<M>& row, const Lane& lane,
                                              int own, int s, const Sizes& sizes, int causal, float scale,
                                              bool diagonal) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int c = 0; c < 4; c++)
        scores[m][n][c] = power_of_2(scores[m][n][c] * (scale * LOG2_E) - row.lse[m][c / 2]);
  if (!diagonal) return;
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int c = 0; c < 4; c++) {
      int last = last_key(own + row_in_warp(lane, m, c), sizes, causal);
#pragma unroll
      for (int n = 0; n < N; n++)
        if (!within(last, s + column_in_tile(lane, n, c), sizes)) scores[m][n][c] = 0.0f;
    }
}

// dP -> dS, from the weights.
template <bool DROPOUT, int M, int N>
__device__ __forceinline__ void query_gradients(float (&dscores)[M][N][4], const float (&weights)[M][N][4],
                                                const RowStatistics<M>& row, const Dropout& drop, const Lane& lane,
                                                int own, int s) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n += 2) {
      unsigned int kept = 0xff;
      if (DROPOUT) kept = kept_of_query_rows(drop, own + row_in_warp(lane, m, 0), s + column_in_tile(lane, n, 0));
#pragma unroll
      for (int i = 0; i < 8; i++) {
        int c = i % 4;
        float& dscore = dscores[m][n + i / 4][c];
        dscore = score_gradient(weights[m][n + i / 4][c], dscore, kept >> i & 1, drop.factor, row.delta[m][c / 2]);
      }
    }
}

template <int HEAD, bool DROPOUT>
__device__ __forceinline__ void queries_backward(const Heads<const bfloat16>& q, const Heads<const bfloat16>& k,
                                                 const Heads<const bfloat16>& v, const Heads<const bfloat16>& g,
                                                 const Heads<bfloat16>& dq, const float* lse, const float* delta,
                                                 const int* lengths, Sizes sizes, int causal, float scale,
                                                 const Dropout& drop, int head, int block) {
  typedef QueriesPlan<HEAD, DROPOUT> P;
  const int M = P::M, N = P::N, OWN = P::OWN, KEYS = P::OTHER, TILE = KEYS * stride<HEAD>();
  SHARED_BYTES(memory);
  bfloat16* own_q = (bfloat16*)memory;
  bfloat16* own_g = own_q + OWN * stride<HEAD>();
  bfloat16* tiles = own_g + OWN * stride<HEAD>();  // keys, values, keys, values
  const Lane lane = this_lane();
  const int b = head / sizes.H, h = head % sizes.H, group = h / (sizes.H / sizes.G);
  const int first = block * OWN, own = first + lane.warp * M * ROWS;  // of the block, of the warp
  sizes.S = keys_of(lengths, b, sizes.S);
  const int begin = max(0, first_key(last_key(first, sizes, causal), sizes)) / KEYS * KEYS;
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K) &&
                      in_pieces_of_16(g, sizes.K);
  auto tile_pairs = tile_reader<KEYS, HEAD, P::THREADS>(begin, sizes.K, pieces, rows_of(k, b, group, sizes.S),
                                                        rows_of(v, b, group, sizes.S));
  tile_reader<OWN, HEAD, P::THREADS>(first, sizes.K, pieces, rows_of(q, b, h, sizes.T), rows_of(g, b, h, sizes.T))
      .load(own_q, first);
  tile_pairs.load(tiles, begin);
  cp_async_commit();

  const RowStatistics<M> row = row_statistics<M>(lse, delta, head, own, sizes.T, lane);
  float result[M][HEAD / COLUMNS][4];
  set_zero(result);
  // Up to here all queries of the warp see all keys; with a window each tile is looked at, to save a register.
  const int warp_low = sizes.window < sizes.S ? -1 : last_key(own, sizes, causal);
  const int high = last_key(first_together(own) + rows_together<M>() - 1, sizes, causal);
  const int stop = last_key(first + OWN - 1, sizes, causal) + 1;

  for (int s = begin; s < stop;) {
#pragma unroll
    for (int turn = 0; turn < 2; turn++, s += KEYS) {
      if (s >= stop) break;
      const bfloat16 *key_tile = tiles + turn * 2 * TILE, *value_tile = key_tile + TILE;
      tiles_arrived<0>();
      if (s + KEYS < stop) {
        tile_pairs.load(tiles + (turn ^ 1) * 2 * TILE, s + KEYS);
        cp_async_commit();
      }
      if (s > high) continue;  // above the diagonal
      float weights[M][N][4], dscores[M][N][4];
      multiply_tiles<HEAD>(weights, own_q, own - first, key_tile);
      multiply_tiles<HEAD>(dscores, own_g, own - first, value_tile);
      products_arrived<1>(weights);
      query_weights(weights, row, lane, own, s, sizes, causal, scale, s + KEYS - 1 > warp_low);
      products_arrived<0>(dscores);
      query_gradients<DROPOUT>(dscores, weights, row, drop, lane, own, s);
      unsigned int operand[M][N / 2][4];
      pack(operand, dscores);
      add_weighted_rows<HEAD>(result, operand, key_tile);
      products_arrived<0>(result);
    }
  }
  cp_async_wait<0>();  // a block without keys has not waited yet
  store_rows<HEAD>(rows_of(dq, b, h, sizes.T), own, sizes.K, in_pieces_of_16(dq, sizes.K), lane, result, scale);
}

// ---- dk and dv ------------------------------------------------------------------------------------------------------

// What one thread brings of a tile's statistics: lse, or delta, of a query of the tile that begins at t. A query beyond
// the last has weight 0, as if it looked nowhere.
template <int QUERIES>
__device__ __forceinline__ float tile_statistic(const float* lse, const float* delta, int head, int t, int count) {
  int query = t + threadIdx.x % QUERIES;
  if (threadIdx.x < QUERIES) return query < count ? lse[(long long)head * count + query] * LOG2_E : INFINITE;
  return threadIdx.x < 2 * QUERIES && query < count ? delta[(long long)head * count + query] : 0.0f;
}

// Scores -> P^T. `own` is the warp's first key, `t` the tile's first query; lse is that of this lane's first column.
template <int M, int N>
__device__ __forceinline__ void key_weights(float (&scores)[M][N][4], const float* lse, const Lane& lane, int own,
                                            int t, const Sizes& sizes, int causal, float scale, bool diagonal) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int c = 0; c < 4; c++)
        scores[m][n][c] = power_of_2(scores[m][n][c] * (scale * LOG2_E) - lse[n * COLUMNS + c % 2]);
  if (!diagonal) return;
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int c = 0; c < 4; c++) {
      int from = first_query(own + row_in_warp(lane, m, c), sizes, causal);
#pragma unroll
      for (int n = 0; n < N; n++)
        if (!within(t + column_in_tile(lane, n, c), from, sizes)) scores[m][n][c] = 0.0f;
    }
}

// dP -> dS, transposed both; delta is that of this lane's first column.
template <int M, int N>
__device__ __forceinline__ void key_gradients(float (&dscores)[M][N][4], const float (&weights)[M][N][4],
                                              const unsigned int (&kept)[M][N / 2], const float* delta, float factor) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int c = 0; c < 4; c++) {
        bool stays = kept[m][n / 2] >> (n % 2 * 4 + c) & 1;
        dscores[m][n][c] =
            score_gradient(weights[m][n][c], dscores[m][n][c], stays, factor, delta[n * COLUMNS + c % 2]);
      }
}

// Zeros for the warp's rows, which begin at `own`, from row `count` on: padding has no gradient.
template <int HEAD, int M>
__device__ __forceinline__ void clear_rows(float (&x)[M][HEAD / COLUMNS][4], const Lane& lane, int own, int count) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int c = 0; c < 4; c++)
#pragma unroll
      for (int n = 0; n < HEAD / COLUMNS; n++)
        if (own + row_in_warp(lane, m, c) >= count) x[m][n][c] = 0.0f;
}

template <int HEAD, bool DROPOUT>
__device__ __forceinline__ void keys_backward(const Heads<const bfloat16>& q, const Heads<const bfloat16>& k,
                                              const Heads<const bfloat16>& v, const Heads<const bfloat16>& g,
                                              const Heads<bfloat16>& dk, const Heads<bfloat16>& dv, const float* lse,
                                              const float* delta, const int* lengths, Sizes sizes, int causal,
                                              float scale, Dropout drop, int key_head, int block) {
  typedef KeysPlan<HEAD, DROPOUT> P;
  const int M = P::M, N = P::N, OWN = P::OWN, QUERIES = P::OTHER, TILE = QUERIES * stride<HEAD>();
  SHARED_BYTES(memory);
  bfloat16* own_k = (bfloat16*)memory;
  bfloat16* own_v = own_k + OWN * stride<HEAD>();
  bfloat16* tiles = own_v + OWN * stride<HEAD>();  // queries, gradients, queries, gradients
  float* stats = (float*)(tiles + 4 * TILE);       // lse and delta of a tile's queries, and of the next tile's
  const Lane lane = this_lane();
  const int b = key_head / sizes.G, group = key_head % sizes.G, repeats = sizes.H / sizes.G;
  const int first = block * OWN, own = first + lane.warp * M * ROWS;  // of the block, of the warp
  const bool pieces = in_pieces_of_16(q, sizes.K) && in_pieces_of_16(k, sizes.K) && in_pieces_of_16(v, sizes.K) &&
                      in_pieces_of_16(g, sizes.K);
  const int with_padding = sizes.S;
  sizes.S = keys_of(lengths, b, sizes.S);
  // The queries that see a key of the block; none where all of its keys are padding.
  const int last = min(first + OWN, sizes.S) - 1;
  const int from = max(0, first_query(first, sizes, causal)) / QUERIES * QUERIES;
  const int stop = first < sizes.S ? min(sizes.T, first_query(last, sizes, causal) + sizes.window) : 0;
  const int low = first_query(first_together(own), sizes, causal);
  // From here on all queries see all keys of the warp; with a window each tile is looked at, to save a register.
  const int warp_high = sizes.window < sizes.S ? sizes.T : first_query(own + M * ROWS - 1, sizes, causal);

  tile_reader<OWN, HEAD, P::THREADS>(first, sizes.K, pieces, rows_of(k, b, group, sizes.S),
                                     rows_of(v, b, group, sizes.S))
      .load(own_k, first);
  int h = group * repeats, t = from;  // head and first query of the tile at hand
  auto tile_pairs = tile_reader<QUERIES, HEAD, P::THREADS>(from, sizes.K, pieces, rows_of(q, b, h, sizes.T),
                                                           rows_of(g, b, h, sizes.T));
  bool more = from < stop;
  if (more) {
    tile_pairs.load(tiles, from);
    float statistic = tile_statistic<QUERIES>(lse, delta, b * sizes.H + h, from, sizes.T);
    if (threadIdx.x < 2 * QUERIES) stats[threadIdx.x] = statistic;
  }
  cp_async_commit();
  float dkeys[M][HEAD / COLUMNS][4], dvalues[M][HEAD / COLUMNS][4];
  set_zero(dkeys);
  set_zero(dvalues);

  while (more) {
#pragma unroll
    for (int turn = 0; turn < 2; turn++) {
      if (!more) break;
      int next_h = h, next_t = t + QUERIES;
      if (next_t >= stop) next_t = from, next_h++;
      more = next_h < (group + 1) * repeats;
      const bfloat16 *query_tile = tiles + turn * 2 * TILE, *gradient_tile = query_tile + TILE;
      const float* tile_lse = stats + turn * 2 * QUERIES + lane.column;
      tiles_arrived<0>();
      float next_statistic = 0.0f;
      if (more) {
        if (next_h > h) {
          tile_pairs.x[0] = rows_of(q, b, next_h, sizes.T);
          tile_pairs.x[1] = rows_of(g, b, next_h, sizes.T);
          tile_pairs.go_to(next_t);
        }
        tile_pairs.load(tiles + (turn ^ 1) * 2 * TILE, next_t);
        cp_async_commit();
        // It is on its way, too, and is put down after the work on this tile.
        next_statistic = tile_statistic<QUERIES>(lse, delta, b * sizes.H + next_h, next_t, sizes.T);
      }
      if (t + QUERIES - 1 >= low) {  // else above the diagonal
        drop.head = b * sizes.H + h;
        float weights[M][N][4], dscores[M][N][4];
        multiply_tiles<HEAD>(weights, own_k, own - first, query_tile);
        if (P::TOGETHER) multiply_tiles<HEAD>(dscores, own_v, own - first, gradient_tile);
        products_arrived<P::TOGETHER>(weights);
        key_weights(weights, tile_lse, lane, own, t, sizes, causal, scale, t < warp_high);
        unsigned int dropped[M][N / 2][4], operand[M][N / 2][4], kept[M][N / 2];
        pack(dropped, weights);
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
          for (int i = 0; i < N / 2; i++) {
            kept[m][i] = 0xff;
            if (!DROPOUT) continue;
            kept[m][i] = kept_of_key_rows(drop, t + column_in_tile(lane, 2 * i, 0), own + row_in_warp(lane, m, 0));
            drop_operand(dropped[m][i], kept[m][i]);
          }
        if (!P::TOGETHER) {
          add_weighted_rows<HEAD>(dvalues, dropped, gradient_tile);
          multiply_tiles<HEAD>(dscores, own_v, own - first, gradient_tile);
        }
        products_arrived<0>(dscores);
        key_gradients(dscores, weights, kept, tile_lse + QUERIES, drop.factor);
        pack(operand, dscores);
        if (P::TOGETHER) add_weighted_rows<HEAD>(dvalues, dropped, gradient_tile);
        add_weighted_rows<HEAD>(dkeys, operand, query_tile);
        products_arrived<0>(dvalues);
        products_arrived<0>(dkeys);
      }
      if (threadIdx.x < 2 * QUERIES) stats[(turn ^ 1) * 2 * QUERIES + threadIdx.x] = next_statistic;
      h = next_h, t = next_t;
    }
  }
  cp_async_wait<0>();  // a block that nobody sees has not waited yet
  clear_rows<HEAD>(dkeys, lane, own, sizes.S);
  clear_rows<HEAD>(dvalues, lane, own, sizes.S);
  store_rows<HEAD>(rows_of(dk, b, group, with_padding), own, sizes.K, in_pieces_of_16(dk, sizes.K), lane, dkeys, scale);
  store_rows<HEAD>(rows_of(dv, b, group, with_padding), own, sizes.K, in_pieces_of_16(dv, sizes.K), lane, dvalues,
                   drop.factor);
}

// ---- entry points ---------------------------------------------------------------------------------------------------

#define ATTENTION_INPUTS                                                                                    \
  ATTENTION_ARRAY(const bfloat16, q), ATTENTION_ARRAY(const bfloat16, k), ATTENTION_ARRAY(const bfloat16, v), \
      ATTENTION_ARRAY(const bfloat16, g)

#define ATTENTION_BACKWARD(HEAD, DROPOUT, SUFFIX)                                                                     \
  const int KEYS_THREADS_##SUFFIX = KeysPlan<HEAD, DROPOUT>::THREADS;                                                 \
  const int KEYS_BLOCKS_##SUFFIX = KeysPlan<HEAD, DROPOUT>::BLOCKS;                                                   \
  const int QUERIES_THREADS_##SUFFIX = QueriesPlan<HEAD, DROPOUT>::THREADS;                                           \
  const int QUERIES_BLOCKS_##SUFFIX = QueriesPlan<HEAD, DROPOUT>::BLOCKS;                                             \
  extern "C" __global__ void __launch_bounds__(QUERIES_THREADS_##SUFFIX, QUERIES_BLOCKS_##SUFFIX)                     \
  attention_backward_queries_##SUFFIX(                                                                                \
      ATTENTION_INPUTS, ATTENTION_ARRAY(bfloat16, dq), const float* lse, const float* delta, ATTENTION_OPTIONS) {     \
    const int OWN = QueriesPlan<HEAD, DROPOUT>::OWN;                                                                  \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                         \
    int blocks = (T + OWN - 1) / OWN, head = blockIdx.x / blocks, block = blocks - 1 - blockIdx.x % blocks;           \
    queries_backward<HEAD, DROPOUT>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(g),   \
                                    ATTENTION_HEADS(dq), lse, delta, lengths, sizes, causal, scale,                   \
                                    make_dropout(counter, p, call, head), head, block);                               \
  }                                                                                                                   \
  extern "C" __global__ void __launch_bounds__(KEYS_THREADS_##SUFFIX, KEYS_BLOCKS_##SUFFIX)                           \
  attention_backward_keys_##SUFFIX(                                                                                   \
      ATTENTION_INPUTS, ATTENTION_ARRAY(bfloat16, dk), ATTENTION_ARRAY(bfloat16, dv), const float* lse,               \
      const float* delta, ATTENTION_OPTIONS) {                                                                        \
    const int OWN = KeysPlan<HEAD, DROPOUT>::OWN;                                                                     \
    Sizes sizes = {B, H, G, T, S, K, window};                                                                         \
    int blocks = (S + OWN - 1) / OWN, key_head = blockIdx.x / blocks, block = blockIdx.x % blocks;                    \
    keys_backward<HEAD, DROPOUT>(ATTENTION_HEADS(q), ATTENTION_HEADS(k), ATTENTION_HEADS(v), ATTENTION_HEADS(g),      \
                                 ATTENTION_HEADS(dk), ATTENTION_HEADS(dv), lse, delta, lengths, sizes, causal, scale, \
                                 make_dropout(counter, p, call, 0), key_head, block);                                 \
  }

#endif
