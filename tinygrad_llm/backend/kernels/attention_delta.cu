// after: attention_common.cuh
//
// attention_delta_T: delta (B, H, T) = sum over K of g out, which both ways back need (attention_common.cuh).
// Eight lanes a row: with 16 bytes a lane, a row of the usual 64 bfloat16 is one load.
//
// attention_dropout_mask: what the attention kernels never store, the factors (B, H, T, S) of the weights, 0 or
// 1 / (1 - p). For tests, which give them to the readable attention; one thread a weight.

const int THREADS = 128, LANES_A_ROW = 8;

// 16 bytes, moved at once.
template <typename E>
struct __align__(16) Piece {
  E x[16 / sizeof(E)];
};

template <typename E>
__device__ __forceinline__ void attention_delta(const Heads<const E>& out, const Heads<const E>& g, float* delta, int B,
                                                int H, int T, int K) {
  const int PIECE = 16 / sizeof(E);
  const long long row = (long long)blockIdx.x * (THREADS / LANES_A_ROW) + threadIdx.x / LANES_A_ROW;
  const int lane = threadIdx.x % LANES_A_ROW;
  const bool exists = row < (long long)B * H * T;
  float sum = 0.0f;
  if (exists) {
    const int t = row % T, h = row / T % H, b = row / T / H;
    const E *x = rows_of(out, b, h, T).at(t), *y = rows_of(g, b, h, T).at(t);
    if (in_pieces_of_16(out, K) && in_pieces_of_16(g, K)) {
      for (int column = lane * PIECE; column < K; column += LANES_A_ROW * PIECE) {
        Piece<E> xs = *(const Piece<E>*)(x + column), ys = *(const Piece<E>*)(y + column);
#pragma unroll
        for (int i = 0; i < PIECE; i++) sum += to_float(xs.x[i]) * to_float(ys.x[i]);
      }
    } else {
      for (int column = lane; column < K; column += LANES_A_ROW) sum += to_float(x[column]) * to_float(y[column]);
    }
  }
  for (int distance = LANES_A_ROW / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(EVERYONE, sum, distance);
  if (exists && lane == 0) delta[row] = sum;
}

#define ATTENTION_DELTA(NAME, E)                                                                                       \
  extern "C" __global__ void __launch_bounds__(THREADS)                                                                \
      NAME(ATTENTION_ARRAY(const E, out), ATTENTION_ARRAY(const E, g), float* delta, int B, int H, int T, int K) {     \
    attention_delta<E>(ATTENTION_HEADS(out), ATTENTION_HEADS(g), delta, B, H, T, K);                                   \
  }

ATTENTION_DELTA(attention_delta_float32, float)
ATTENTION_DELTA(attention_delta_bfloat16, bfloat16)

extern "C" __global__ void attention_dropout_mask(float* mask, int B, int H, int T, int S, float p,
                                                  const unsigned long long* counter, int call) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= (long long)B * H * T * S) return;
  const int s = i % S, t = i / S % T, head = i / S / T;
  Dropout drop = make_dropout(counter, p, call, head);
  Bits bits = dropout_bits(drop, t, s);
  const int place = 4 * (t >> 3 & 1) + 2 * (s >> 3 & 1) + (s & 1);
  unsigned int half = bits.word[place / 2] >> 16 * (place % 2) & 0xffffu;
  mask[i] = half >= drop.threshold ? drop.factor : 0.0f;
}
