// after: attention_common.cuh mma.cuh
//
// What the attention kernels for bfloat16 are made of: results of the tensor cores, where they lie in registers, what
// is dropped of them, and how they are written.
//
// Each warp of a block owns M x 16 rows of the block's own side and keeps its results for them in registers. All walk
// together over tiles of N x 8 rows of the other side. A result of the tensor cores that a lane holds is called
// x[m][n][c]: of the m-th 16 rows and the n-th 8 columns the c-th of its four numbers (mma.cuh draws which).
//
// The turns of a tile's places are written out one after the other (#pragma unroll), so that the compiler knows where a
// tile lies: what Hopper's tensor cores are told of it is then computed once for a warp, beside the threads.
//
// The products themselves come in two forms with the same names: attention_mma.cuh for every GPU since sm_80,
// attention_wgmma.cuh for Hopper.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

const int PIECE = 8;  // elements in 16 bytes

// attention_tiles.cuh has it.
template <int HEAD>
__device__ __forceinline__ void load_left(unsigned int a[4], bfloat16* tile, int row, int column);

struct Lane {
  int warp, row, column;  // of this lane's first number in a 16 x 8 result
};

__device__ __forceinline__ Lane this_lane() {
  int lane = threadIdx.x % WARP;
  Lane place = {(int)threadIdx.x / WARP, lane / 4, lane % 4 * 2};
  return place;
}

// The row and the column of x[m][n][c] in the warp's part of the result.
__device__ __forceinline__ int row_in_warp(const Lane& lane, int m, int c) { return m * ROWS + lane.row + c / 2 * 8; }
__device__ __forceinline__ int column_in_tile(const Lane& lane, int n, int c) {
  return n * COLUMNS + lane.column + c % 2;
}

template <int M, int N>
__device__ __forceinline__ void set_zero(float (&x)[M][N][4]) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int c = 0; c < 4; c++) x[m][n][c] = 0.0f;
}

// A result, rounded to bfloat16, becomes left operands where it is, in registers: two 8 columns wide tiles are one.
template <int M, int N>
__device__ __forceinline__ void pack(unsigned int (&a)[M][N / 2][4], const float (&x)[M][N][4]) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
      for (int half = 0; half < 2; half++)
        a[m][n / 2][n % 2 * 2 + half] = pack_bfloat16(x[m][n][2 * half], x[m][n][2 * half + 1]);
}

// Writes factor x to the rows of `out` from `first` on, as far as they exist.
template <int HEAD, int M>
__device__ __forceinline__ void store_rows(const Rows<bfloat16>& out, int first, int K, bool pieces, const Lane& lane,
                                           const float (&x)[M][HEAD / COLUMNS][4], float factor) {
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int row = first + row_in_warp(lane, m, 2 * half);
      if (row >= out.count) continue;
#pragma unroll
      for (int n = 0; n < HEAD / COLUMNS; n++) {
        int column = column_in_tile(lane, n, 0);
        float low = x[m][n][2 * half] * factor, high = x[m][n][2 * half + 1] * factor;
        bfloat16* to = out.at(row) + column;
        if (pieces) {
          if (column < K) *(unsigned int*)to = pack_bfloat16(low, high);
        } else {
          if (column < K) to[0] = from_float<bfloat16>(low);
          if (column + 1 < K) to[1] = from_float<bfloat16>(high);
        }
      }
    }
}

// ---- dropout --------------------------------------------------------------------------------------------------------

__device__ __forceinline__ unsigned int half_of_word(unsigned int word, int half) {
  return word >> 16 * half & 0xffffu;
}

// Which of x[m][n][0..3], x[m][n + 1][0..3] are kept, one bit each, where the rows are queries from t on (this lane's
// first) and the columns keys from s on: all eight come from one draw.
__device__ __forceinline__ unsigned int kept_of_query_rows(const Dropout& drop, int t, int s) {
  Bits bits = dropout_bits(drop, t, s);
  unsigned int kept = 0;
#pragma unroll
  for (int i = 0; i < 8; i++) {  // i = 4 bit3(s) + 2 bit3(t) + bit0(s)
    unsigned int word = bits.word[i / 2 % 2 * 2 + i / 4];
    kept |= (unsigned int)(half_of_word(word, i % 2) >= drop.threshold) << i;
  }
  return kept;
}

// The same where the rows are keys and the columns queries. A draw holds keys s and s + 1, but s + 1 is the row of
// another lane, four further on, and this lane has queries t and t + 1 instead. So the two lanes share two draws: the
// one with even s draws for t, the other for t + 1, and each sends the halves that the other needs.
__device__ __forceinline__ unsigned int kept_of_key_rows(const Dropout& drop, int t, int s) {
  int odd = s & 1;
  Bits bits = dropout_bits(drop, t + odd, s);
  unsigned int drawn[2][2];  // drawn[bit0(t)][bit3(t)]: the halves for bit3(s) = 0 and 1 of this lane's key
#pragma unroll
  for (int t3 = 0; t3 < 2; t3++) {
    unsigned int first = bits.word[2 * t3], second = bits.word[2 * t3 + 1];
    unsigned int mine = half_of_word(first, odd) | half_of_word(second, odd) << 16;
    unsigned int other = half_of_word(first, 1 - odd) | half_of_word(second, 1 - odd) << 16;
    other = __shfl_xor_sync(EVERYONE, other, 4);
    drawn[0][t3] = odd ? other : mine;
    drawn[1][t3] = odd ? mine : other;
  }
  unsigned int kept = 0;
#pragma unroll
  for (int i = 0; i < 8; i++)  // i = 4 bit3(t) + 2 bit3(s) + bit0(t)
    kept |= (unsigned int)(half_of_word(drawn[i % 2][i / 4], i / 2 % 2) >= drop.threshold) << i;
  return kept;
}

// Sets to zero what is dropped of one left operand: bits 2 i and 2 i + 1 belong to the two numbers of register i.
__device__ __forceinline__ void drop_operand(unsigned int (&a)[4], unsigned int kept) {
#pragma unroll
  for (int i = 0; i < 4; i++) a[i] &= (kept >> 2 * i & 1 ? 0xffffu : 0) | (kept >> 2 * i & 2 ? 0xffff0000u : 0);
}

#endif
