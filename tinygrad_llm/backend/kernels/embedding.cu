// after: packs.cuh
//
// The embedding table: row ids[i] for each token i, and on the way back the sum of the gradients of each id.
//
//   forward    y[i] = weight[ids[i]]                       weight (rows, width), ids (n), y (n, width)
//   backward   dweight[v] += sum of g[i] over ids[i] = v   g (n, width)
//
// A token occurs many times, so in backward many rows of g meet in one row of dweight. Atomic additions would do, in
// another order and with another rounding each time. Instead the places are sorted by their ids, and each run of equal
// ids is summed in one fixed order. An id outside [0, rows) makes a row of NaN, and no gradient.
//
// Launch with any grid. Right are
//
//   forward    a thread for each pack of 16 bytes of y, blocks of 256
//   order      n / 32 blocks of 256
//   backward   (n / PLACES, width / COLUMNS) blocks of 256, or of 1024 where runs are long, as those of letters
//
// The last bits of dweight depend on the number of threads a block, and on nothing else.

__device__ __forceinline__ float not_a_number() { return __int_as_float(0x7fc00000); }

// ---- forward --------------------------------------------------------------------------------------------------------

template <int N, typename Y>
__device__ void look_up(const float* weight, const long long* ids, Y* y, int n, int width, int rows) {
  Team team = whole_grid();
  int packs_per_row = width / N;
  for (long long p = team.rank; p < (long long)n * packs_per_row; p += team.size) {
    long long i = p / packs_per_row, id = ids[i];
    int column = (int)(p - i * packs_per_row) * N;
    Numbers<N> x;
    for (int k = 0; k < N; k++) x.at[k] = not_a_number();
    if (id >= 0 && id < rows) x = load<N>(weight + id * width + column);
    store(y + p * N, x);
  }
}

template <typename Y>
__device__ void embedding(const float* weight, const long long* ids, Y* y, int n, int width, int rows) {
  const int N = 16 / sizeof(Y);
  if (width % N == 0 && aligned(weight) && aligned(y))
    look_up<N>(weight, ids, y, n, width, rows);
  else
    look_up<1>(weight, ids, y, n, width, rows);
}

extern "C" __global__ void embedding_forward(const float* weight, const long long* ids, float* y, int n, int width,
                                             int rows) {
  embedding(weight, ids, y, n, width, rows);
}

extern "C" __global__ void embedding_forward_to_bfloat16(const float* weight, const long long* ids, bfloat16* y, int n,
                                                         int width, int rows) {
  embedding(weight, ids, y, n, width, rows);
}

// ---- a sort ---------------------------------------------------------------------------------------------------------

const int IDS = 1024;  // ids a tile in shared memory

// An id in 32 bits, which are compared twice as fast as 64. What does not fit belongs to no table; it becomes -1 or the
// largest int, the first or the last of all.
__device__ __forceinline__ int short_id(long long id) {
  return id < 0 ? -1 : id > 0x7fffffff ? 0x7fffffff : (int)id;
}

// order[place] = i, where place = the number of j with ids[j] < ids[i], or equal and j < i: the sorted order, and of
// equal ids the first first.
//
// n^2 comparisons of two instructions each: by count 0.05 ms on an H100 for 16,384 tokens. A sort in n log n steps
// needs a dozen launches and more room, for less. A block places 32 tokens. Each of its warps compares the 32, one a
// lane, with its own part of every tile; all lanes read the same id at once, which shared memory gives in one cycle.
extern "C" __global__ void embedding_order(const long long* ids, int* order, int n) {
  __shared__ int tile[IDS];
  __shared__ int counted[WARP][WARP];  // by warp and lane
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  for (int first = blockIdx.x * WARP; first < n; first += gridDim.x * WARP) {
    int i = first + lane, own = i < n ? short_id(ids[i]) : -1, before = 0;
    for (int start = 0; start < n; start += IDS) {
      __syncthreads();  // whoever still reads the last tile
      for (int k = threadIdx.x; k < IDS && start + k < n; k += blockDim.x) tile[k] = short_id(ids[start + k]);
      __syncthreads();
      int end = min(IDS, n - start);
      if (start + IDS <= first) {  // all of the tile stands before the 32: equal ones count
#pragma unroll 4
        for (int k = warp; k < end; k += warps) before += tile[k] <= own;
      } else if (start >= first + WARP) {
#pragma unroll 4
        for (int k = warp; k < end; k += warps) before += tile[k] < own;
      } else {
        for (int k = warp; k < end; k += warps) before += tile[k] < own || (tile[k] == own && start + k < i);
      }
    }
    counted[warp][lane] = before;
    __syncthreads();
    if (warp == 0 && i < n) {
      int place = 0;
      for (int w = 0; w < warps; w++) place += counted[w][lane];
      order[place] = i;
    }
  }
}

// ---- backward -------------------------------------------------------------------------------------------------------

const int PLACES = 8;          // sorted places whose runs a block sums, if they begin there
const int COLUMNS_A_LANE = 4;  // so a block has 128 columns, and each lane four loads under way
const int COLUMNS = WARP * COLUMNS_A_LANE;

// Adds the rows g[list[0]], g[list[warps]], ... to `sum`: those of this warp, from column `first` on.
template <typename T>
__device__ __forceinline__ void add_rows(const T* g, const int* list, int count, int first, int width,
                                         float sum[COLUMNS_A_LANE]) {
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
#pragma unroll 4
  for (int r = warp; r < count; r += warps) {
    const T* row = g + (long long)list[r] * width;
    for (int c = 0; c < COLUMNS_A_LANE; c++) {
      int column = first + c * WARP + lane;
      if (column < width) sum[c] += to_float(row[column]);
    }
  }
}

// The run of equal ids that begins at sorted place `start`, 128 columns of it. A run may be long, as that of the space
// in a text of letters: its rows are dealt out to the warps, and their sums are joined in the warps' order.
template <typename T>
__device__ void sum_run(const T* g, const long long* ids, const int* order, float* dweight, int n, int width, int start,
                        long long id, int first) {
  __shared__ int list[WARP * WARP];  // a place a thread
  __shared__ float sums[WARP][COLUMNS];
  __shared__ float partial[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP, count = blockDim.x;
  float sum[COLUMNS_A_LANE] = {};
  for (int at = start; count == blockDim.x; at += blockDim.x) {  // until not all places belong to the run any more
    int place = at + threadIdx.x, i = place < n ? order[place] : -1;
    bool belongs = i >= 0 && ids[i] == id;
    __syncthreads();  // whoever still reads the last list
    list[threadIdx.x] = i;
    count = (int)block_sum(belongs ? 1.0f : 0.0f, partial);  // sorted, so these stand in front
    add_rows(g, list, count, first, width, sum);
  }
  for (int c = 0; c < COLUMNS_A_LANE; c++) sums[warp][c * WARP + lane] = sum[c];
  __syncthreads();
  for (int c = threadIdx.x; c < COLUMNS && first + c < width; c += blockDim.x) {
    float total = 0.0f;
    for (int w = 0; w < warps; w++) total += sums[w][c];
    dweight[id * width + first + c] += total;
  }
}

// The grid has two axes: sorted places, PLACES a block, and columns, COLUMNS a block.
template <typename T>
__device__ void embedding_backward(const T* g, const long long* ids, const int* order, float* dweight, int n, int width,
                                   int rows) {
  __shared__ long long near[PLACES + 1];  // the ids at the block's places, and at the one before
  for (int from = blockIdx.x * PLACES; from < n; from += gridDim.x * PLACES) {
    __syncthreads();
    for (int k = threadIdx.x; k <= PLACES; k += blockDim.x) {
      int place = from + k - 1;
      near[k] = place >= 0 && place < n ? ids[order[place]] : -1;
    }
    __syncthreads();
    for (int k = 1; k <= PLACES; k++) {
      long long id = near[k];
      if (id == near[k - 1] || id < 0 || id >= rows) continue;
      for (int first = blockIdx.y * COLUMNS; first < width; first += gridDim.y * COLUMNS)
        sum_run(g, ids, order, dweight, n, width, from + k - 1, id, first);
    }
  }
}

#define ENTRIES(T, SUFFIX)                                                                                    \
  extern "C" __global__ void embedding_backward_##SUFFIX(const T* g, const long long* ids, const int* order,  \
                                                         float* dweight, int n, int width, int rows) {        \
    embedding_backward(g, ids, order, dweight, n, width, rows);                                               \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
