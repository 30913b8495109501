// after: attention_bfloat16.cuh wgmma.cuh
//
// Products of tiles by wgmma.cuh's instructions, four warps together, for Hopper: the same functions as in
// attention_mma.cuh, twice as fast. Tiles lie in shared memory as atoms; a warp owns 16 rows, a warpgroup 64.

#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(CUDA_ON_CPU)

// Elements a row takes in a tile.
template <int HEAD>
__host__ __device__ constexpr int stride() {
  return HEAD;
}

// Where an element lies in a tile.
template <int HEAD>
__device__ __forceinline__ bfloat16* place(bfloat16* tile, int row, int column) {
  return tile + place_in_atoms<HEAD>(row, column);
}

// ---- how a head size is worked on -----------------------------------------------------------------------------------

// A block is one warpgroup: it owns 64 rows, and a tile of the other side has 64. While one waits for its product,
// others on the same multiprocessor compute their exponentials; MOST_BLOCKS of them find registers, and shared memory,
// there.
template <int MOST_BLOCKS>
struct HopperPlan {
  static const int THREADS = 4 * WARP, BLOCKS = MOST_BLOCKS;
  static const int M = 1, OWN = GROUP_ROWS;
  static const int OTHER = GROUP_ROWS, N = OTHER / COLUMNS;
};

template <int HEAD, bool DROPOUT>
struct ForwardPlan : HopperPlan<HEAD <= 64 && !DROPOUT ? 4 : 3> {
  static const int BEFORE_QUERIES = 3;  // tiles
};

template <int HEAD, bool DROPOUT>
struct KeysPlan : HopperPlan<HEAD <= 64 && !DROPOUT ? 3 : 2> {
  static const bool TOGETHER = true;  // scores and dP are asked for at once, and dv and dk
};

template <int HEAD, bool DROPOUT>
struct QueriesPlan : HopperPlan<HEAD <= 64 ? (DROPOUT ? 3 : 4) : 2> {};

// Rows that a product is made of, which therefore are left out together or not at all: those of a warpgroup.
template <int M>
__device__ __forceinline__ int rows_together() {
  return GROUP_ROWS;
}

// The first of those that a warp's first row belongs to.
__device__ __forceinline__ int first_together(int own) { return own / GROUP_ROWS * GROUP_ROWS; }

// What this thread's copies bring has arrived, but for its last ON_THEIR_WAY groups, for all threads and for the tensor
// cores; and nobody reads what was read before this any more.
template <int ON_THEIR_WAY>
__device__ __forceinline__ void tiles_arrived() {
  cp_async_wait<ON_THEIR_WAY>();
  shared_is_written();
  __syncthreads();
}

// ---- products -------------------------------------------------------------------------------------------------------

// Each function asks for a product, and the thread goes on; products_arrived waits for all but the last LATER that were
// asked for. What a product reads must stay until then.
template <int LATER, int N>
__device__ __forceinline__ void products_arrived(float (&x)[1][N][4]) {
  wgmma_arrived<LATER>(x[0]);
}

// products = own other^T over the whole head; both lie in shared memory.
template <int HEAD>
__device__ __forceinline__ void multiply_tiles(float (&products)[1][8][4], const bfloat16* own, int,
                                               const bfloat16* other) {
  Matrix<HEAD> a = matrix<HEAD>(own), b = matrix<HEAD>(other);
  wgmma_begin();
  wgmma_rows_rows<false>(products[0], a, b);
#pragma unroll
  for (int column = ROWS; column < HEAD; column += ROWS)
    wgmma_rows_rows<true>(products[0], from_column(a, column), from_column(b, column));
  wgmma_end();
}

// The warpgroup's own rows of a tile stay there: the tensor cores read them themselves. (In registers they would take
// less of shared memory's time: nothing was won by that on an H200, and the compiler of CUDA 13.0 gives such registers
// away although a later turn of the loop needs them.)
template <int HEAD, int M>
struct OwnRows {
  const bfloat16* tile;
};

template <int HEAD, int M>
__device__ __forceinline__ void take_rows(OwnRows<HEAD, M>& own, bfloat16* tile, int) {
  own.tile = tile;
}

template <int HEAD, int M>
__device__ __forceinline__ void multiply_rows(float (&products)[1][8][4], const OwnRows<HEAD, M>& own,
                                              const bfloat16* other) {
  multiply_tiles<HEAD>(products, own.tile, 0, other);
}

// out += weights other: each own row becomes a sum of the tile's rows.
template <int HEAD, int STEPS>
__device__ __forceinline__ void add_weighted_rows(float (&out)[1][HEAD / COLUMNS][4],
                                                  const unsigned int (&weights)[1][STEPS][4], const bfloat16* other) {
  Matrix<HEAD> b = matrix<HEAD>(other);
  wgmma_begin();
#pragma unroll
  for (int step = 0; step < STEPS; step++) {  // 16 rows of the tile at once
    Matrix<HEAD> rows = from_row(b, step * ROWS);
    wgmma_registers_columns<0>(out[0], weights[0][step], rows);
    if constexpr (HEAD > ATOM_COLUMNS)
      wgmma_registers_columns<ATOM_COLUMNS / COLUMNS>(out[0], weights[0][step], from_column(rows, ATOM_COLUMNS));
  }
  wgmma_end();
}

#endif
