// after: mma.cuh
//
// Products of rows with the matrix of their group: what a mixture of experts multiplies.
//
//   forward   y[m]   = W[e] x[m]                             (M, I) -> (M, O),  e the group of row m
//   inputs    dx[m]  = W[e]^T g[m]                           (M, O) -> (M, I)
//   weights   dW[e] (+)= sum over the rows m of e of g[m] x[m]^T     -> (E, O, I), in float
//
// Rows are sorted by group: those of e stand from starts[e] up to starts[e + 1]. Nobody but the GPU knows where, so the
// grid has room for the worst case, M / TILE + E tiles of rows, and a block whose number is beyond the last tile goes
// home. W[e] begins e * apart elements behind W[0]. Every sum is made by one block in one order.
//
// All three are C = A B^T, C (rows, columns), over a depth. An operand whose depth runs along its lines in memory is
// read as it lies, one whose depth runs from line to line is called DOWN: then its lines are in shared memory too, and
// it is turned on the way to the registers.
//
// Launch: float32 with 256 threads and TILE 64; bfloat16, from sm_80 on, with 128 threads and TILE 128. The grid is
// (columns / TILE, tiles of rows) for the first two, (I / TILE, O / TILE, E) for the third; group_starts: E + 1 threads.

// A matrix in memory: `lines` of them, `step` elements apart, each of `length`.
template <typename T>
struct Matrix {
  const T* at;
  long long step;
  int lines, length;
};

template <typename T>
__device__ __forceinline__ Matrix<T> matrix(const T* at, int lines, int length) {
  Matrix<T> x = {at, length, lines, length};
  return x;
}

// Which rows this block has: of group `group`, `count` from `first` on. False where it has none.
__device__ __forceinline__ bool rows_of_block(const int* starts, int groups, int tile, int& group, int& first,
                                              int& count) {
  int number = blockIdx.y;
  for (group = 0; group < groups; group++) {
    int begin = starts[group], rows = starts[group + 1] - begin, tiles = (rows + tile - 1) / tile;
    if (number < tiles) {
      first = begin + number * tile;
      count = min(tile, rows - number * tile);
      return true;
    }
    number -= tiles;
  }
  return false;
}

// starts[e] = how many rows belong to a group before e. ids[order[.]] rises.
extern "C" __global__ void group_starts(const long long* ids, const int* order, int* starts, int n, int groups) {
  int e = blockIdx.x * blockDim.x + threadIdx.x;
  if (e > groups) return;
  int low = 0, high = n;
  while (low < high) {
    int middle = (low + high) / 2;
    if (ids[order[middle]] < e)
      low = middle + 1;
    else
      high = middle;
  }
  starts[e] = low;
}

// ---- float32: sums of products, 4 x 4 a thread ----------------------------------------------------------------------

template <typename T>
struct Tiled;

template <>
struct Tiled<float> {
  static const int TILE = 64, DEPTH = 16, THREADS = 256, EACH = 4, STEP = TILE + 4;

  // tile[k][row] for DEPTH k from `depth` on and TILE rows from `row` on; zeros for what is not there.
  template <bool DOWN>
  static __device__ __forceinline__ void load(float* tile, const Matrix<float>& x, int row, int depth) {
    for (int i = threadIdx.x; i < TILE * DEPTH; i += THREADS) {  // neighbours in memory for neighbouring threads
      int r = DOWN ? i % TILE : i / DEPTH, k = DOWN ? i / TILE : i % DEPTH;
      int line = DOWN ? depth + k : row + r, place = DOWN ? row + r : depth + k;
      tile[k * STEP + r] = line < x.lines && place < x.length ? x.at[line * x.step + place] : 0.0f;
    }
  }

  // Gives each number of C's tile that exists to put(row, column, value).
  template <bool A_DOWN, bool B_DOWN, typename Put>
  static __device__ void multiply(const Matrix<float>& a, const Matrix<float>& b, int row, int column, int rows,
                                  int columns, int depth, Put put) {
    __shared__ float left[DEPTH * STEP];
    __shared__ float right[DEPTH * STEP];
    int r = threadIdx.x / (TILE / EACH) * EACH, c = threadIdx.x % (TILE / EACH) * EACH;
    float sum[EACH][EACH] = {};
    for (int k = 0; k < depth; k += DEPTH) {
      load<A_DOWN>(left, a, row, k);
      load<B_DOWN>(right, b, column, k);
      __syncthreads();
#pragma unroll
      for (int i = 0; i < DEPTH; i++)
#pragma unroll
        for (int m = 0; m < EACH; m++)
#pragma unroll
          for (int n = 0; n < EACH; n++) sum[m][n] += left[i * STEP + r + m] * right[i * STEP + c + n];
      __syncthreads();  // whoever still reads these tiles
    }
    for (int m = 0; m < EACH; m++)
      for (int n = 0; n < EACH; n++)
        if (row + r + m < rows && column + c + n < columns) put(row + r + m, column + c + n, sum[m][n]);
  }
};

// ---- bfloat16: tensor cores, 64 x 64 a warp -------------------------------------------------------------------------

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

template <>
struct Tiled<bfloat16> {
  static const int TILE = 128, DEPTH = 32, THREADS = 128, PIECE = 8;
  static const int OWN = 64, M = OWN / ROWS, N = OWN / COLUMNS;  // a warp's rows and columns, in tiles of the cores
  static const int ROOM = TILE * (DEPTH + PIECE);                // elements of a tile in shared memory, at most

  // From line to line of a tile. A piece more than a line has: ldmatrix's 8 rows begin in different banks then.
  static __device__ __forceinline__ int step(bool down) { return (down ? TILE : DEPTH) + PIECE; }

  // Begins to copy a tile, in pieces of 16 bytes where they are aligned; zeros for what is not there.
  template <bool DOWN>
  static __device__ __forceinline__ void load(bfloat16* tile, const Matrix<bfloat16>& x, int row, int depth) {
    const int LINES = DOWN ? DEPTH : TILE, PIECES = (DOWN ? TILE : DEPTH) / PIECE;
    bool aligned = x.step % PIECE == 0 && x.length % PIECE == 0 && (unsigned long long)x.at % 16 == 0;
    for (int i = threadIdx.x; i < LINES * PIECES; i += THREADS) {
      int line = (DOWN ? depth : row) + i / PIECES, place = (DOWN ? row : depth) + i % PIECES * PIECE;
      bfloat16* to = tile + i / PIECES * step(DOWN) + i % PIECES * PIECE;
      const bfloat16* from = x.at + line * x.step + place;
      if (aligned && line < x.lines && place < x.length)
        cp_async_16(to, from, true);
      else
        for (int k = 0; k < PIECE; k++) {
          bfloat16 zero = {0};
          to[k] = line < x.lines && place + k < x.length ? from[k] : zero;
        }
    }
  }

  // 16 rows and 16 of the depth as a left operand.
  template <bool DOWN>
  static __device__ __forceinline__ void load_left(unsigned int a[4], const bfloat16* tile, int row, int k) {
    int lane = threadIdx.x % WARP;
    if (DOWN)
      ldmatrix_x4_transposed(a, tile + (k + lane / 16 * 8 + lane % 8) * step(DOWN) + row + lane / 8 % 2 * 8);
    else
      ldmatrix_x4(a, tile + (row + lane % 16) * step(DOWN) + k + lane / 16 * 8);
  }

  // 16 columns and 16 of the depth as two right operands.
  template <bool DOWN>
  static __device__ __forceinline__ void load_right(unsigned int b[4], const bfloat16* tile, int column, int k) {
    int lane = threadIdx.x % WARP;
    if (DOWN)
      ldmatrix_x4_transposed(b, tile + (k + lane % 16) * step(DOWN) + column + lane / 16 * 8);
    else
      ldmatrix_x4(b, tile + (column + lane / 16 * 8 + lane % 8) * step(DOWN) + k + lane / 8 % 2 * 8);
  }

  template <bool A_DOWN, bool B_DOWN>
  static __device__ __forceinline__ void add(float (&sum)[M][N][4], const bfloat16* left, const bfloat16* right,
                                             int row, int column) {
#pragma unroll
    for (int k = 0; k < DEPTH; k += ROWS) {
      unsigned int a[M][4];
#pragma unroll
      for (int m = 0; m < M; m++) load_left<A_DOWN>(a[m], left, row + m * ROWS, k);
#pragma unroll
      for (int n = 0; n < N; n += 2) {
        unsigned int b[4];
        load_right<B_DOWN>(b, right, column + n * COLUMNS, k);
#pragma unroll
        for (int m = 0; m < M; m++) {
          mma_16x8x16(sum[m][n], a[m], b);
          mma_16x8x16(sum[m][n + 1], a[m], b + 2);
        }
      }
    }
  }

  // See Tiled<float>. While one pair of tiles is multiplied, the next is on its way.
  template <bool A_DOWN, bool B_DOWN, typename Put>
  static __device__ void multiply(const Matrix<bfloat16>& a, const Matrix<bfloat16>& b, int row, int column, int rows,
                                  int columns, int depth, Put put) {
    __shared__ __align__(16) bfloat16 left[2][ROOM];
    __shared__ __align__(16) bfloat16 right[2][ROOM];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, r = warp / 2 * OWN, c = warp % 2 * OWN;
    float sum[M][N][4] = {};
    load<A_DOWN>(left[0], a, row, 0);
    load<B_DOWN>(right[0], b, column, 0);
    cp_async_commit();
    for (int k = 0, now = 0; k < depth; k += DEPTH, now = 1 - now) {
      if (k + DEPTH < depth) {
        load<A_DOWN>(left[1 - now], a, row, k + DEPTH);
        load<B_DOWN>(right[1 - now], b, column, k + DEPTH);
        cp_async_commit();
        cp_async_wait<1>();
      } else {
        cp_async_wait<0>();
      }
      __syncthreads();
      add<A_DOWN, B_DOWN>(sum, left[now], right[now], r, c);
      __syncthreads();  // whoever still reads these tiles
    }
    row += r + lane / 4;
    column += c + lane % 4 * 2;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
      for (int n = 0; n < N; n++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
          int at = row + m * ROWS + i / 2 * 8, place = column + n * COLUMNS + i % 2;
          if (at < rows && place < columns) put(at, place, sum[m][n][i]);
        }
  }
};

#endif

// ---- the three products ---------------------------------------------------------------------------------------------

// y[m] = W[e] x[m], or W[e]^T x[m] with TURNED: then x is (M, O) and y (M, I).
template <bool TURNED, typename T>
__device__ void grouped_rows(const T* x, const T* w, long long apart, const int* starts, T* y, int groups, int I,
                             int O) {
  int depth = TURNED ? O : I, columns = TURNED ? I : O, column = blockIdx.x * Tiled<T>::TILE, group, first, count;
  if (!rows_of_block(starts, groups, Tiled<T>::TILE, group, first, count)) return;
  Matrix<T> a = matrix(x + (long long)first * depth, count, depth), b = matrix(w + group * apart, O, I);
  T* to = y + (long long)first * columns;
  Tiled<T>::template multiply<false, TURNED>(a, b, 0, column, count, columns, depth, [=](int m, int n, float value) {
    to[(long long)m * columns + n] = from_float<T>(value);
  });
}

// Added to what is there, or instead of it.
template <typename T>
__device__ void grouped_weights(const T* g, const T* x, const int* starts, float* dw, long long apart, int I, int O,
                                int accumulate) {
  int group = blockIdx.z, first = starts[group], count = starts[group + 1] - first;
  Matrix<T> a = matrix(g + (long long)first * O, count, O), b = matrix(x + (long long)first * I, count, I);
  float* to = dw + group * apart;
  Tiled<T>::template multiply<true, true>(
      a, b, blockIdx.y * Tiled<T>::TILE, blockIdx.x * Tiled<T>::TILE, O, I, count, [=](int o, int i, float value) {
        float* place = to + (long long)o * I + i;
        *place = accumulate ? *place + value : value;
      });
}

const int THREADS_float32 = Tiled<float>::THREADS;
#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)
const int THREADS_bfloat16 = Tiled<bfloat16>::THREADS;
#endif

#define ENTRIES(T, SUFFIX)                                                                                          \
  extern "C" __global__ void __launch_bounds__(THREADS_##SUFFIX)                                                    \
      grouped_forward_##SUFFIX(const T* x, const T* w, long long apart, const int* starts, T* y, int groups, int I, \
                               int O) {                                                                             \
    grouped_rows<false>(x, w, apart, starts, y, groups, I, O);                                                      \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(THREADS_##SUFFIX)                                                    \
      grouped_inputs_##SUFFIX(const T* g, const T* w, long long apart, const int* starts, T* dx, int groups, int I, \
                              int O) {                                                                              \
    grouped_rows<true>(g, w, apart, starts, dx, groups, I, O);                                                      \
  }                                                                                                                 \
  extern "C" __global__ void __launch_bounds__(THREADS_##SUFFIX)                                                    \
      grouped_weights_##SUFFIX(const T* g, const T* x, const int* starts, float* dw, long long apart, int I, int O, \
                               int accumulate) {                                                                    \
    grouped_weights(g, x, starts, dw, apart, I, O, accumulate);                                                     \
  }

ENTRIES(float, float32)
#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)
ENTRIES(bfloat16, bfloat16)
#endif
