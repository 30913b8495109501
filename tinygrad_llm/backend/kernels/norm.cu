// Layer norm, RMS norm, and sums over rows.
//
//   layer norm   n = (x - mean) rstd,  rstd = 1 / sqrt(mean((x - mean)^2) + eps),  y = n w + b
//   RMS norm     n = x rstd,           rstd = 1 / sqrt(mean(x^2) + eps),           y = n w
//   backward     h = g w,  dx = rstd (h - mean(h) - n mean(h n)),  dw = sum of g n,  db = sum of g over all rows
//                (RMS norm: without mean(h), and without db)
//
// Around a block of a network x goes on beside the norm, so a part of its gradient is there already: where so_far is
// not null, dx is the sum of both. That is one more array to read instead of a kernel that reads two and writes one.
//
// x, y, g, dx, so_far are (rows, width); w, b (width,), each may be null; mean and rstd (rows,). Means are over a row.
//
// A row belongs to a team: one warp where the row is short, else the whole block. A thread keeps up to held<N>() pieces
// of N numbers, 16 bytes, of its row in registers, so memory is read once, although the row is gone over three times.
// What does not fit is read again. A team that is one warp needs no barrier, and eight of them in a block hide one
// another's waiting: a block a row waits at its barriers with little under way.
//
// Launch with any number of blocks of at most 256 threads. teams = number of warps where width <= 1024 in whole pieces,
// or 128 in single numbers, else 1. Forward, rows / teams blocks give each team one row.
// Backward, the number of blocks is the number of rows of dw_parts and db_parts; two a multiprocessor are about right.

const int MOST = 256;  // threads a block

// Pieces that a thread keeps: 32 numbers, of float or bfloat16; 4 where they are moved one by one.
template <int N>
__host__ __device__ constexpr int held() {
  return N == 1 ? 4 : 32 / N;
}

// N neighbours in a row, moved by one instruction.
template <typename T, int N>
struct __align__(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T item[N];
};

// Eight numbers of bfloat16 are kept as four pairs: the compiler would give each number a register of its own.
template <>
struct __align__(16) Pack<bfloat16, 8> {
  unsigned int pair[4];
};

template <int N, typename T>
__device__ __forceinline__ float number(const Pack<T, N>& pack, int k) {
  return to_float(pack.item[k]);
}

template <>
__device__ __forceinline__ float number(const Pack<bfloat16, 8>& pack, int k) {
  return __uint_as_float(k % 2 ? pack.pair[k / 2] & 0xffff0000u : pack.pair[k / 2] << 16);
}

template <int N, typename T>
__device__ __forceinline__ void put(Pack<T, N>& pack, const float (&x)[N]) {
  for (int k = 0; k < N; k++) pack.item[k] = from_float<T>(x[k]);
}

template <>
__device__ __forceinline__ void put(Pack<bfloat16, 8>& pack, const float (&x)[8]) {
  for (int k = 0; k < 4; k++)
    pack.pair[k] = from_float<bfloat16>(x[2 * k]).bits | (unsigned int)from_float<bfloat16>(x[2 * k + 1]).bits << 16;
}

template <int N, typename T>
__device__ __forceinline__ Pack<T, N> read(const T* at) {
  return *reinterpret_cast<const Pack<T, N>*>(at);
}

// w[0..N), or N times `missing` where there are no weights.
template <int N>
__device__ __forceinline__ Pack<float, N> read_or(const float* w, int at, float missing) {
  if (w) return read<N>(w + at);
  Pack<float, N> same;
  for (int k = 0; k < N; k++) same.item[k] = missing;
  return same;
}

template <int N, typename T>
__device__ __forceinline__ void write(T* at, const float (&x)[N]) {
  put(*reinterpret_cast<Pack<T, N>*>(at), x);
}

__device__ __forceinline__ bool aligned(const void* p) { return (unsigned long long)p % 16 == 0; }

// The threads that share a row.
struct Team {
  int size, thread;  // how many, and which of them this one is
  int count, index;  // how many teams in the block, and which of them this one is
};

template <int N>
__device__ __forceinline__ Team make_team(int width) {
  bool is_warp = width <= held<N>() * WARP * N;
  Team team;
  team.size = is_warp ? WARP : blockDim.x;
  team.thread = threadIdx.x % team.size;
  team.count = blockDim.x / team.size;
  team.index = threadIdx.x / team.size;
  return team;
}

__device__ __forceinline__ float team_sum(Team team, float x, float* partial) {
  return team.size == WARP ? warp_sum(x) : block_sum(x, partial);
}

// work(i, column) for each piece i that this thread keeps; it begins at `column`.
template <int N, int HELD, typename Work>
__device__ __forceinline__ void each_held(Team team, int width, Work work) {
#pragma unroll
  for (int i = 0; i < HELD; i++) {
    int column = (team.thread + i * team.size) * N;
    if (column < width) work(i, column);
  }
}

// work(column) for the pieces that this thread does not keep.
template <int N, int HELD, typename Work>
__device__ __forceinline__ void each_other(Team team, int width, Work work) {
#pragma unroll 1  // rare, and not worth more instructions
  for (int column = (team.thread + HELD * team.size) * N; column < width; column += team.size * N) work(column);
}

// ---- forward --------------------------------------------------------------------------------------------------------

template <bool CENTERED, int N, typename T>
__device__ __forceinline__ void forward_rows(const T* all_x, const float* weight, const float* bias, T* all_y,
                                             float* all_mean, float* all_rstd, int rows, int width, float eps) {
  __shared__ float partial[WARP];
  Team team = make_team<N>(width);
  for (int row = blockIdx.x * team.count + team.index; row < rows; row += gridDim.x * team.count) {
    const T* x = all_x + (long long)row * width;
    T* y = all_y + (long long)row * width;
    Pack<T, N> own[held<N>()];
    each_held<N, held<N>()>(team, width, [&](int i, int column) { own[i] = read<N>(x + column); });
    // One way to go over the row, whatever is held and whatever is not.
    auto each = [&](auto work) {
      each_held<N, held<N>()>(team, width, [&](int i, int column) { work(column, own[i]); });
      each_other<N, held<N>()>(team, width, [&](int column) { work(column, read<N>(x + column)); });
    };

    float mean = 0.0f;
    if (CENTERED) {
      float sum = 0.0f;
      each([&](int, Pack<T, N> pack) {
        for (int k = 0; k < N; k++) sum += number(pack, k);
      });
      mean = team_sum(team, sum, partial) / width;
    }
    // The mean first, then the distances from it: mean(x^2) - mean(x)^2 loses all digits where the mean is large.
    float squares = 0.0f;
    each([&](int, Pack<T, N> pack) {
      for (int k = 0; k < N; k++) {
        float distance = number(pack, k) - mean;
        squares += distance * distance;
      }
    });
    float rstd = 1.0f / sqrtf(team_sum(team, squares, partial) / width + eps);
    each([&](int column, Pack<T, N> pack) {
      Pack<float, N> w = read_or<N>(weight, column, 1.0f), b = read_or<N>(bias, column, 0.0f);
      float out[N];
      for (int k = 0; k < N; k++) out[k] = (number(pack, k) - mean) * rstd * w.item[k] + b.item[k];
      write(y + column, out);
    });
    if (team.thread == 0) {
      if (CENTERED) all_mean[row] = mean;
      all_rstd[row] = rstd;
    }
  }
}

template <bool CENTERED, typename T>
__device__ __forceinline__ void forward(const T* x, const float* weight, const float* bias, T* y, float* mean,
                                        float* rstd, int rows, int width, float eps) {
  const int N = 16 / sizeof(T);
  if (width % N == 0 && aligned(x) && aligned(y) && aligned(weight) && aligned(bias))
    forward_rows<CENTERED, N>(x, weight, bias, y, mean, rstd, rows, width, eps);
  else
    forward_rows<CENTERED, 1>(x, weight, bias, y, mean, rstd, rows, width, eps);
}

// ---- backward -------------------------------------------------------------------------------------------------------

// The block's sum for each column, from what its threads have summed over their rows: into `out`, one row of the parts.
template <int N, int HELD>
__device__ __forceinline__ void write_sums(Team team, int width, const float (&sums)[HELD][N], float* out) {
  if (team.count == 1) {  // each column has one thread
    each_held<N, HELD>(team, width, [&](int i, int column) {
      for (int k = 0; k < N; k++) out[column + k] = sums[i][k];
    });
    return;
  }
  __shared__ float corner[MOST * N];  // a piece from each thread: one row a team
  for (int i = 0; i < HELD; i++) {
    __syncthreads();  // whoever still adds the last piece
    for (int k = 0; k < N; k++) corner[threadIdx.x * N + k] = sums[i][k];
    __syncthreads();
    for (int j = threadIdx.x; j < WARP * N; j += blockDim.x) {
      float sum = 0.0f;
      for (int t = 0; t < team.count; t++) sum += corner[t * WARP * N + j];
      if (i * WARP * N + j < width) out[i * WARP * N + j] = sum;
    }
  }
}

// SHIFTED: db is wanted.
template <bool CENTERED, bool SHIFTED, int N, int HELD, typename T>
__device__ __forceinline__ void backward_rows(const T* all_g, const T* all_x, const float* weight,
                                              const float* all_mean, const float* all_rstd, const T* all_so_far,
                                              T* all_dx, float* dw_parts, float* db_parts, int rows, int width) {
  __shared__ float partial[WARP];
  Team team = make_team<N>(width);
  float* dw = dw_parts ? dw_parts + (long long)blockIdx.x * width : dw_parts;
  float* db = db_parts ? db_parts + (long long)blockIdx.x * width : db_parts;
  float dw_held[HELD][N] = {}, db_held[HELD][N] = {};
  each_other<N, HELD>(team, width, [&](int column) {  // these sums have no place in registers: they grow in memory
    for (int k = 0; k < N; k++) {
      if (dw) dw[column + k] = 0.0f;
      if (db) db[column + k] = 0.0f;
    }
  });
  for (int row = blockIdx.x + gridDim.x * team.index; row < rows; row += gridDim.x * team.count) {
    const T *g = all_g + (long long)row * width, *x = all_x + (long long)row * width;
    const T* so_far = all_so_far ? all_so_far + (long long)row * width : all_so_far;
    T* dx = all_dx + (long long)row * width;
    float mean = CENTERED ? all_mean[row] : 0.0f, rstd = all_rstd[row];
    Pack<T, N> g_held[HELD], x_held[HELD];
    each_held<N, HELD>(team, width, [&](int i, int column) {
      g_held[i] = read<N>(g + column);
      x_held[i] = read<N>(x + column);
    });

    float sum_h = 0.0f, sum_hn = 0.0f;
    auto add = [&](int column, Pack<T, N> g_pack, Pack<T, N> x_pack, float (&dw_sums)[N], float (&db_sums)[N]) {
      Pack<float, N> w = read_or<N>(weight, column, 1.0f);
      for (int k = 0; k < N; k++) {
        float gk = number(g_pack, k), n = (number(x_pack, k) - mean) * rstd, h = gk * w.item[k];
        sum_h += h;
        sum_hn += h * n;
        dw_sums[k] += gk * n;
        if (SHIFTED) db_sums[k] += gk;
      }
    };
    each_held<N, HELD>(team, width,
                       [&](int i, int column) { add(column, g_held[i], x_held[i], dw_held[i], db_held[i]); });
    each_other<N, HELD>(team, width, [&](int column) {
      float dw_row[N] = {}, db_row[N] = {};
      add(column, read<N>(g + column), read<N>(x + column), dw_row, db_row);
      for (int k = 0; k < N; k++) {
        if (dw) dw[column + k] += dw_row[k];
        if (db) db[column + k] += db_row[k];
      }
    });
    float mean_h = CENTERED ? team_sum(team, sum_h, partial) / width : 0.0f;
    float mean_hn = team_sum(team, sum_hn, partial) / width;

    auto finish = [&](int column, Pack<T, N> g_pack, Pack<T, N> x_pack) {
      Pack<float, N> w = read_or<N>(weight, column, 1.0f);
      float out[N];
      Pack<T, N> sum;
      if (so_far) sum = read<N>(so_far + column);
      for (int k = 0; k < N; k++) {
        float n = (number(x_pack, k) - mean) * rstd, h = number(g_pack, k) * w.item[k];
        float d = rstd * (h - mean_h - n * mean_hn);
        out[k] = so_far ? number(sum, k) + d : d;
      }
      write(dx + column, out);
    };
    each_held<N, HELD>(team, width, [&](int i, int column) { finish(column, g_held[i], x_held[i]); });
    each_other<N, HELD>(team, width, [&](int column) { finish(column, read<N>(g + column), read<N>(x + column)); });
  }
  if (dw) write_sums<N, HELD>(team, width, dw_held, dw);
  if (db) write_sums<N, HELD>(team, width, db_held, db);
}

template <bool CENTERED, bool SHIFTED, typename T>
__device__ __forceinline__ void backward(const T* g, const T* x, const float* weight, const float* mean,
                                         const float* rstd, const T* so_far, T* dx, float* dw_parts, float* db_parts,
                                         int rows, int width) {
  const int N = 16 / sizeof(T), ALL = held<N>(), FEW = ALL * 3 / 4;  // with FEW, all variables find registers
  bool packs = width % N == 0 && aligned(g) && aligned(x) && aligned(weight) && aligned(so_far) && aligned(dx);
  if (packs && width <= FEW * WARP * N)
    backward_rows<CENTERED, SHIFTED, N, FEW>(g, x, weight, mean, rstd, so_far, dx, dw_parts, db_parts, rows, width);
  else if (packs)
    backward_rows<CENTERED, SHIFTED, N, ALL>(g, x, weight, mean, rstd, so_far, dx, dw_parts, db_parts, rows, width);
  else
    backward_rows<CENTERED, SHIFTED, 1, held<1>()>(g, x, weight, mean, rstd, so_far, dx, dw_parts, db_parts, rows,
                                                   width);
}

// ---- sums over rows -------------------------------------------------------------------------------------------------

// out[y] = (what was there +) the sum of the y-th chunk of rows, a chunk being ceil(rows / gridDim.y) of them. Blocks
// (x, y) share its columns, 32 pieces of N at a time; the warps take turns with the rows. Many rows take two launches:
// (rows, width) into (chunks, width), and that, as a float array, into (1, width). The order of additions is always the
// same, so the sum is too.
template <int N, typename T>
__device__ __forceinline__ void sum_columns(const T* parts, float* out, int rows, int width, int accumulate) {
  const int COLUMNS = WARP * N;
  __shared__ float sums[MOST / WARP * COLUMNS];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  int chunk = (rows + gridDim.y - 1) / gridDim.y;
  int begin = blockIdx.y * chunk, end = min(rows, begin + chunk);
  for (int first = blockIdx.x * COLUMNS; first < width; first += gridDim.x * COLUMNS) {
    float own[N] = {};
    int column = first + lane * N;
    if (column < width) {
#pragma unroll 8  // eight loads on their way at a time
      for (int row = begin + warp; row < end; row += warps) {
        Pack<T, N> pack = read<N>(parts + (long long)row * width + column);
        for (int k = 0; k < N; k++) own[k] += number(pack, k);
      }
    }
    __syncthreads();  // whoever still adds the last columns
    for (int k = 0; k < N; k++) sums[warp * COLUMNS + lane * N + k] = own[k];
    __syncthreads();
    for (int j = threadIdx.x; j < COLUMNS && first + j < width; j += blockDim.x) {
      float sum = sums[j];
      for (int w = 1; w < warps; w++) sum += sums[w * COLUMNS + j];
      float* at = out + (long long)blockIdx.y * width + first + j;
      *at = accumulate ? *at + sum : sum;
    }
  }
}

template <typename T>
__device__ __forceinline__ void sum_chunk(const T* parts, float* out, int rows, int width, int accumulate) {
  const int N = 16 / sizeof(T);
  if (width % N == 0 && aligned(parts))
    sum_columns<N>(parts, out, rows, width, accumulate);
  else
    sum_columns<1>(parts, out, rows, width, accumulate);
}

// ---- entry points ---------------------------------------------------------------------------------------------------

// At least two blocks are to fit on a multiprocessor: at most 128 registers a thread.
#define ENTRY extern "C" __global__ __launch_bounds__(MOST, 2)

#define KERNELS(T)                                                                                                     \
  ENTRY void layer_norm_forward_##T(const T* x, const float* weight, const float* bias, T* y, float* mean,             \
                                    float* rstd, int rows, int width, float eps) {                                     \
    forward<true>(x, weight, bias, y, mean, rstd, rows, width, eps);                                                   \
  }                                                                                                                    \
  ENTRY void layer_norm_backward_##T(const T* g, const T* x, const float* weight, const float* mean,                   \
                                     const float* rstd, const T* so_far, T* dx, float* dw_parts, float* db_parts,      \
                                     int rows, int width) {                                                            \
    if (db_parts)                                                                                                      \
      backward<true, true>(g, x, weight, mean, rstd, so_far, dx, dw_parts, db_parts, rows, width);                     \
    else                                                                                                               \
      backward<true, false>(g, x, weight, mean, rstd, so_far, dx, dw_parts, db_parts, rows, width);                    \
  }                                                                                                                    \
  ENTRY void rms_norm_forward_##T(const T* x, const float* weight, T* y, float* rstd, int rows, int width,             \
                                  float eps) {                                                                         \
    forward<false>(x, weight, (const float*)0, y, (float*)0, rstd, rows, width, eps);                                  \
  }                                                                                                                    \
  ENTRY void rms_norm_backward_##T(const T* g, const T* x, const float* weight, const float* rstd, const T* so_far,    \
                                   T* dx, float* dw_parts, int rows, int width) {                                      \
    backward<false, false>(g, x, weight, (const float*)0, rstd, so_far, dx, dw_parts, (float*)0, rows, width);         \
  }                                                                                                                    \
  ENTRY void sum_rows_##T(const T* parts, float* out, int rows, int width, int accumulate) {                           \
    sum_chunk(parts, out, rows, width, accumulate);                                                                    \
  }

// bfloat16 is float32's name in NAME_float32.
typedef float float32;
KERNELS(float32)
KERNELS(bfloat16)
