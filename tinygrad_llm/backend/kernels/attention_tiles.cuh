// Tiles in shared memory. One lies there with its head size rounded up to HEAD, zeros in between, which change no
// product. Where a number lies, place<HEAD>(tile, row, column), attention_mma.cuh or attention_wgmma.cuh has said.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

// Copies rows of one or two arrays into tiles, COUNT at a time, and zeros for what is not there; the second array's
// tile lies behind the first's. With `pieces`, each thread copies some pieces of 16 bytes that arrive by themselves
// (wait with tiles_arrived); else one element after the other.
template <int COUNT, int HEAD, int THREADS, int ARRAYS>
struct TileReader {
  Rows<const bfloat16> x[ARRAYS];
  int K;
  bool pieces;
  const bfloat16* from[ARRAYS];  // this thread's first piece of the next tile

  static const int LANES = HEAD / PIECE, STEP = THREADS / LANES;  // lanes a row, rows at once

  static __device__ __forceinline__ int own_row() { return threadIdx.x / LANES; }
  static __device__ __forceinline__ int own_column() { return threadIdx.x % LANES * PIECE; }

  // The next tile begins with the row `first`.
  __device__ __forceinline__ void go_to(int first) {
#pragma unroll
    for (int i = 0; i < ARRAYS; i++) from[i] = x[i].at(first + own_row()) + own_column();
  }

  // Begins to copy the next tile of each, which begins with the row `first`.
  __device__ __forceinline__ void load(bfloat16* tile, int first) {
    if (pieces) {
      const int there = own_column() < K ? x[0].count - first - own_row() : 0;
      if (there > COUNT - STEP)  // all of this thread's pieces: nothing is asked for each of them
        copy<true>(tile, there);
      else
        copy<false>(tile, there);
    } else {
#pragma unroll
      for (int i = 0; i < ARRAYS; i++) one_by_one(tile + i * COUNT * stride<HEAD>(), x[i], first);
    }
  }

  template <bool ALL>
  __device__ __forceinline__ void copy(bfloat16* tile, int there) {
    bfloat16* to = place<HEAD>(tile, own_row(), own_column());
#pragma unroll
    for (int i = 0; i < ARRAYS; i++)
#pragma unroll
      for (int row = 0; row < COUNT; row += STEP) {
        cp_async_16(to + (i * COUNT + row) * stride<HEAD>(), from[i], ALL || row < there);
        from[i] += STEP * x[i].stride;
      }
  }

  __device__ __forceinline__ void one_by_one(bfloat16* tile, const Rows<const bfloat16>& rows, int first) {
#pragma unroll 1
    for (int i = threadIdx.x; i < COUNT * HEAD; i += THREADS) {
      int row = i / HEAD, column = i % HEAD;
      bfloat16 zero = {0};
      *place<HEAD>(tile, row, column) = first + row < rows.count && column < K ? rows.at(first + row)[column] : zero;
    }
  }
};

template <int COUNT, int HEAD, int THREADS, typename... More>
__device__ __forceinline__ TileReader<COUNT, HEAD, THREADS, 1 + sizeof...(More)> tile_reader(
    int first, int K, bool pieces, const Rows<const bfloat16>& x, const More&... more) {
  TileReader<COUNT, HEAD, THREADS, 1 + sizeof...(More)> reader = {{x, more...}, K, pieces, {}};
  reader.go_to(first);
  return reader;
}

// A left operand: 16 rows from `row` on, 16 columns from `column` on.
template <int HEAD>
__device__ __forceinline__ void load_left(unsigned int a[4], bfloat16* tile, int row, int column) {
  int lane = threadIdx.x % WARP;
  ldmatrix_x4(a, place<HEAD>(tile, row + lane % 16, column + lane / 16 * 8));
}

#endif
