// What the attention kernels for float are made of: tiles in shared memory, and products of tiles in plain arithmetic.
//
// A block owns OWN rows of its own side and walks over tiles of OTHER rows of the other side. Its 128 threads stand in
// 16 rows of 8. Of a product own other^T a thread computes its rows i and columns j,
//
//     own row  y + 16 i, i < R     and     row  x + 8 j, j < C,  of the tile,
//
// so that R + C numbers read from shared memory give R C multiplications. Of a result with HEAD columns it keeps the
// same own rows, and the columns 4 x + 32 h to 4 x + 32 h + 3. The head size is rounded up to HEAD with zeros. A warp
// has whole rows: what one lane needs of a row, the same warp wrote.

const int THREADS = 128, ACROSS = 8, DOWN = THREADS / ACROSS;

// How a head size is worked on. With these sizes each kernel needs at most 64 KB of shared memory, which all have.
template <int HEAD>
struct Plan {
  static const int OWN = HEAD <= 64 ? 64 : 32, OTHER = HEAD <= 64 ? 32 : 16;
  static const int R = OWN / DOWN, C = OTHER / ACROSS, H = HEAD / (4 * ACROSS);
  // Floats from one row to the next: 16 bytes more, so that neighbouring rows begin in different banks.
  static const int STRIDE = HEAD + 4, WEIGHTS_STRIDE = OTHER + 4;
  static const int OWN_TILE = OWN * STRIDE, OTHER_TILE = OTHER * STRIDE, WEIGHTS = OWN * WEIGHTS_STRIDE;
};

// Copies COUNT rows of x from row `first` on into a tile, zeros for what is not there; 16 bytes at once with `pieces`.
template <int COUNT, int HEAD>
__device__ __forceinline__ void load_tile(float* tile, const Rows<const float>& x, int first, int K, bool pieces) {
  const int STEP = pieces ? 4 : 1;
  for (int i = threadIdx.x * STEP; i < COUNT * HEAD; i += THREADS * STEP) {
    int row = i / HEAD, column = i % HEAD;
    float* to = tile + row * Plan<HEAD>::STRIDE + column;
    bool there = first + row < x.count && column < K;
    const float4 zeros = {0.0f, 0.0f, 0.0f, 0.0f};
    if (pieces)
      *(float4*)to = there ? *(const float4*)(x.at(first + row) + column) : zeros;
    else
      *to = there ? x.at(first + row)[column] : 0.0f;
  }
}

template <int A, int B>
__device__ __forceinline__ void set_zero(float (&x)[A][B]) {
#pragma unroll
  for (int a = 0; a < A; a++)
#pragma unroll
    for (int b = 0; b < B; b++) x[a][b] = 0.0f;
}

// products = own other^T.
template <int HEAD>
__device__ __forceinline__ void multiply_tiles(float (&products)[Plan<HEAD>::R][Plan<HEAD>::C], const float* own,
                                               const float* other, int x, int y) {
  typedef Plan<HEAD> P;
  set_zero(products);
#pragma unroll 4
  for (int column = 0; column < HEAD; column += 4) {
    float4 a[P::R], b[P::C];
#pragma unroll
    for (int i = 0; i < P::R; i++) a[i] = *(const float4*)(own + (y + DOWN * i) * P::STRIDE + column);
#pragma unroll
    for (int j = 0; j < P::C; j++) b[j] = *(const float4*)(other + (x + ACROSS * j) * P::STRIDE + column);
#pragma unroll
    for (int i = 0; i < P::R; i++)
#pragma unroll
      for (int j = 0; j < P::C; j++)
        products[i][j] += a[i].x * b[j].x + a[i].y * b[j].y + a[i].z * b[j].z + a[i].w * b[j].w;
  }
}

// Puts a warp's weights where all its lanes can read them.
template <int HEAD>
__device__ __forceinline__ void share_weights(float* weights, const float (&w)[Plan<HEAD>::R][Plan<HEAD>::C], int x,
                                              int y) {
  typedef Plan<HEAD> P;
  __syncwarp();  // whoever still reads the last ones
#pragma unroll
  for (int i = 0; i < P::R; i++)
#pragma unroll
    for (int j = 0; j < P::C; j++) weights[(y + DOWN * i) * P::WEIGHTS_STRIDE + x + ACROSS * j] = w[i][j];
  __syncwarp();
}

// out += weights other: each own row becomes a sum of the tile's rows.
template <int HEAD>
__device__ __forceinline__ void add_weighted_rows(float (&out)[Plan<HEAD>::R][4 * Plan<HEAD>::H], const float* weights,
                                                  const float* other, int x, int y) {
  typedef Plan<HEAD> P;
#pragma unroll 2
  for (int j = 0; j < P::OTHER; j += 4) {
    float w[P::R][4];
#pragma unroll
    for (int i = 0; i < P::R; i++) {
      float4 four = *(const float4*)(weights + (y + DOWN * i) * P::WEIGHTS_STRIDE + j);
      w[i][0] = four.x, w[i][1] = four.y, w[i][2] = four.z, w[i][3] = four.w;
    }
#pragma unroll
    for (int one = 0; one < 4; one++)
#pragma unroll
      for (int h = 0; h < P::H; h++) {
        float4 o = *(const float4*)(other + (j + one) * P::STRIDE + 4 * x + 4 * ACROSS * h);
#pragma unroll
        for (int i = 0; i < P::R; i++) {
          out[i][4 * h] += w[i][one] * o.x;
          out[i][4 * h + 1] += w[i][one] * o.y;
          out[i][4 * h + 2] += w[i][one] * o.z;
          out[i][4 * h + 3] += w[i][one] * o.w;
        }
      }
  }
}

// Writes factor x to the rows of `out` from `first` on, as far as they exist.
template <int HEAD>
__device__ __forceinline__ void store_rows(const Rows<float>& out, int first, int K, int x, int y,
                                           const float (&result)[Plan<HEAD>::R][4 * Plan<HEAD>::H],
                                           const float (&factor)[Plan<HEAD>::R]) {
#pragma unroll
  for (int i = 0; i < Plan<HEAD>::R; i++) {
    int row = first + y + DOWN * i;
    if (row >= out.count) continue;
#pragma unroll
    for (int h = 0; h < 4 * Plan<HEAD>::H; h++) {
      int column = 4 * x + h / 4 * 4 * ACROSS + h % 4;
      if (column < K) out.at(row)[column] = result[i][h] * factor[i];
    }
  }
}

// The factors of the weights under dropout, 0 or 1 / (1 - p), one draw for eight. `tile` has room for OWN x OTHER; the
// queries begin at t, the keys at s. All threads of the block come here, and since the last weights were read there has
// been a barrier.
template <int HEAD, bool OWNS_QUERIES>
__device__ __forceinline__ void draw_factors(float (&factors)[Plan<HEAD>::R][Plan<HEAD>::C], float* tile,
                                             const Dropout& drop, int t, int s, int x, int y) {
  typedef Plan<HEAD> P;
  const int QUERIES = OWNS_QUERIES ? P::OWN : P::OTHER, KEYS = OWNS_QUERIES ? P::OTHER : P::OWN;
  for (int i = threadIdx.x; i < QUERIES * KEYS / 8; i += THREADS) {
    int row = i / (KEYS / 4), column = i % (KEYS / 4);  // of the draw; now of its first weight:
    row = row / 8 * 16 + row % 8;
    column = column / 4 * 16 + column % 4 * 2;
    Bits bits = dropout_bits(drop, t + row, s + column);
    for (int half = 0; half < 8; half++) {
      int query = row + half / 4 * 8, key = column + half / 2 % 2 * 8 + half % 2;
      unsigned int drawn = bits.word[half / 2] >> 16 * (half % 2) & 0xffffu;
      int own = OWNS_QUERIES ? query : key, other = OWNS_QUERIES ? key : query;
      tile[own * P::WEIGHTS_STRIDE + other] = drawn >= drop.threshold ? drop.factor : 0.0f;
    }
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < P::R; i++)
#pragma unroll
    for (int j = 0; j < P::C; j++) factors[i][j] = tile[(y + DOWN * i) * P::WEIGHTS_STRIDE + x + ACROSS * j];
}
