// after: attention_bfloat16.cuh
//
// Products of tiles by mma.cuh's instructions, a warp for itself, for every GPU since sm_80. The readable form; on
// Hopper attention_wgmma.cuh takes its place.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

// Elements from one row of a tile to the next. One piece more than HEAD: the 8 rows that ldmatrix reads at once begin
// in different banks then.
template <int HEAD>
__host__ __device__ constexpr int stride() {
  return HEAD + PIECE;
}

// Where an element lies in a tile.
template <int HEAD>
__device__ __forceinline__ bfloat16* place(bfloat16* tile, int row, int column) {
  return tile + row * stride<HEAD>() + column;
}

// ---- how a head size is worked on -----------------------------------------------------------------------------------

const int WARPS = 4;

// Forward. 32 queries a warp share what is read from shared memory, 16 where the results fill the registers; the random
// bits of dropout need registers too, so that tiles are smaller.
template <int HEAD, bool DROPOUT>
struct ForwardPlan {
  static const int THREADS = WARPS * WARP, BLOCKS = 0;  // how many a multiprocessor holds is left to the compiler
  static const int M = HEAD <= 64 ? 2 : 1, OWN = M * ROWS * WARPS;  // queries a block
  static const int OTHER = DROPOUT ? 32 : 64, N = OTHER / COLUMNS;  // keys a tile
  static const int BEFORE_QUERIES = 2;  // tiles: the queries come first where the third will be
};

// Backward. 32 own rows a warp share what is read from shared memory; 16 where the results, or the random bits of
// dropout, fill the registers.
template <int HEAD, bool DROPOUT>
struct BackwardPlan {
  static const int THREADS = WARPS * WARP, BLOCKS = 0;  // how many a multiprocessor holds is left to the compiler
  static const int M = HEAD <= 64 && !DROPOUT ? 2 : 1, OWN = M * ROWS * WARPS;
  static const int OTHER = HEAD <= 64 && DROPOUT ? 64 : 32, N = OTHER / COLUMNS;  // rows a tile of the other side
};

template <int HEAD, bool DROPOUT>
struct KeysPlan : BackwardPlan<HEAD, DROPOUT> {
  static const bool TOGETHER = false;  // products wait for nobody, and registers are short
};

template <int HEAD, bool DROPOUT>
struct QueriesPlan : BackwardPlan<HEAD, DROPOUT> {};

// Rows that a product is made of, which therefore are left out together or not at all: those of a warp.
template <int M>
__device__ __forceinline__ int rows_together() {
  return M * ROWS;
}

// The first of those that a warp's first row belongs to.
__device__ __forceinline__ int first_together(int own) { return own; }

// What this thread's copies bring has arrived, but for its last ON_THEIR_WAY groups, for all threads; and nobody reads
// what was read before this any more.
template <int ON_THEIR_WAY>
__device__ __forceinline__ void tiles_arrived() {
  cp_async_wait<ON_THEIR_WAY>();
  __syncthreads();
}

// ---- products -------------------------------------------------------------------------------------------------------

// A product is there when its function has returned.
template <int LATER, int M, int N>
__device__ __forceinline__ void products_arrived(float (&)[M][N][4]) {}

// products += own other^T, of 16 columns of the head: each own row with each row of the tile.
template <int HEAD, int M, int N>
__device__ __forceinline__ void add_products(float (&products)[M][N][4], const unsigned int (&own)[M][4],
                                             const bfloat16* other, int column) {
  int lane = threadIdx.x % WARP;
#pragma unroll
  for (int n = 0; n < N; n += 2) {  // 16 rows of the tile at once: two right operands
    unsigned int b[4];
    ldmatrix_x4(b, other + (n * COLUMNS + lane / 16 * 8 + lane % 8) * stride<HEAD>() + column + lane / 8 % 2 * 8);
#pragma unroll
    for (int m = 0; m < M; m++) {
      mma_16x8x16(products[m][n], own[m], b);
      mma_16x8x16(products[m][n + 1], own[m], b + 2);
    }
  }
}

// products = own other^T over the whole head; both lie in shared memory, the warp's own rows from `row` on.
template <int HEAD, int M, int N>
__device__ __forceinline__ void multiply_tiles(float (&products)[M][N][4], bfloat16* own, int row,
                                               const bfloat16* other) {
  set_zero(products);
#pragma unroll
  for (int column = 0; column < HEAD; column += ROWS) {
    unsigned int a[M][4];
#pragma unroll
    for (int m = 0; m < M; m++) load_left<HEAD>(a[m], own, row + m * ROWS, column);
    add_products<HEAD>(products, a, other, column);
  }
}

// The warp's own rows of a tile, kept in registers.
template <int HEAD, int M>
struct OwnRows {
  unsigned int left[HEAD / ROWS][M][4];  // 16 columns of the head an operand
};

template <int HEAD, int M>
__device__ __forceinline__ void take_rows(OwnRows<HEAD, M>& own, bfloat16* tile, int row) {
#pragma unroll
  for (int step = 0; step < HEAD / ROWS; step++)
#pragma unroll
    for (int m = 0; m < M; m++) load_left<HEAD>(own.left[step][m], tile, row + m * ROWS, step * ROWS);
}

// products = own other^T over the whole head.
template <int HEAD, int M, int N>
__device__ __forceinline__ void multiply_rows(float (&products)[M][N][4], const OwnRows<HEAD, M>& own,
                                              const bfloat16* other) {
  set_zero(products);
#pragma unroll
  for (int step = 0; step < HEAD / ROWS; step++) add_products<HEAD>(products, own.left[step], other, step * ROWS);
}

// out += weights other: each own row becomes a sum of the tile's rows.
template <int HEAD, int M, int STEPS>
__device__ __forceinline__ void add_weighted_rows(float (&out)[M][HEAD / COLUMNS][4],
                                                  const unsigned int (&weights)[M][STEPS][4], const bfloat16* other) {
  int lane = threadIdx.x % WARP;
#pragma unroll
  for (int step = 0; step < STEPS; step++) {  // 16 rows of the tile at once
#pragma unroll
    for (int h = 0; h < HEAD / COLUMNS; h += 2) {
      unsigned int b[4];
      ldmatrix_x4_transposed(b, other + (step * ROWS + lane % 16) * stride<HEAD>() + h * COLUMNS + lane / 16 * 8);
#pragma unroll
      for (int m = 0; m < M; m++) {
        mma_16x8x16(out[m][h], weights[m][step], b);
        mma_16x8x16(out[m][h + 1], weights[m][step], b + 2);
      }
    }
  }
}

#endif
