// Attention without a T x S matrix in memory: what all its kernels share.
//
//     out = softmax(scale q k^T) v      q (B, H, T, K), k and v (B, G, S, K), out (B, H, T, K); H a multiple of G
//
// The scores of one query are needed twice, for their sum and for the mean of v, and T x S of them are too many to
// store. The online softmax meets them one tile of keys at a time. For one query, over the keys seen so far, let
//
//     m = max score,   z = sum exp(score - m),   o = sum exp(score - m) v.
//
// A tile brings the largest score m'. With M = max(m, m'), everything so far was taken with the wrong shift, and one
// factor sets it right:
//
//     r = exp(m - M),   z <- r z + sum exp(score - M),   o <- r o + sum exp(score - M) v,   m <- M.
//
// At the end out = o / z. Beside it only lse = m + ln z is kept, one number a query: with it exp(score - lse) is the
// softmax itself, so that on the way back a tile's weights are recomputed rather than read. With P the weights, g the
// gradient of out, and delta = sum over K of g out, one number a query:
//
//     dv = P^T g,   dP = g v^T,   dS = P (dP - delta),   dq = scale dS k,   dk = scale dS^T q.
//
// All kernels work alike: a block OWNS some rows of one side and walks over the tiles of the OTHER side. Forward and
// for dq it owns queries and meets keys; for dk and dv it owns keys and meets queries. Thus each result is summed by
// one block in a fixed order: no atomics, the same bits every time. The price is that the way back computes the scores
// twice, 7 products instead of 5.
//
// exp(x) is computed as 2^(x log2 e): the machine has an instruction for 2^x alone, and log2 e goes into the scale.
//
// Causal: query t sees the keys up to t + S - T; the last query sees all. With a window it sees the last `window` of
// those alone, and tiles before them are not met. With lengths, example b has lengths[b] keys, which stand for S in all
// of this; what lies behind them is never read, and its gradients are 0. A query that sees no key answers 0: its lse is
// +infinity, so that exp(score - lse) = 0 makes all its gradients 0 without a further question.
//
// Sources: Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022;
// Dao, "FlashAttention-2", 2023.

#define LOG2_E 1.4426950408889634f
#define LN_2 0.6931471805599453f
#define INFINITE __int_as_float(0x7f800000)

// 2^x with a relative error below 2^-22, and 0 where the result is below the smallest normal number. (exp2f would give
// those few numbers too, for three more instructions a score.)
__device__ __forceinline__ float power_of_2(float x) {
#ifdef CUDA_ON_CPU
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

// ---- where things lie -----------------------------------------------------------------------------------------------

// S is how many keys the example at hand has; a query sees at most `window` of them.
struct Sizes {
  int B, H, G, T, S, K, window;
};

// The number of keys of example b; S where there are no lengths.
__device__ __forceinline__ int keys_of(const int* lengths, int b, int S) { return lengths ? min(lengths[b], S) : S; }

// An array (B, heads, positions, K) of any layout whose last axis is contiguous; strides in elements. Queries, keys and
// values that one linear layer made side by side, (B, T, (H + 2G) K), are three such arrays in one piece of memory.
template <typename E>
struct Heads {
  E* base;
  long long batch, head, position;
};

// The rows of one head.
template <typename E>
struct Rows {
  E* base;
  long long stride;
  int count;

  __device__ __forceinline__ E* at(int row) const { return base + row * stride; }
};

template <typename E>
__device__ __forceinline__ Rows<E> rows_of(const Heads<E>& x, int b, int head, int count) {
  Rows<E> rows = {x.base + b * x.batch + head * x.head, x.position, count};
  return rows;
}

// Whether each row begins at a multiple of 16 bytes and is made of whole pieces of 16 bytes.
template <typename E>
__device__ __forceinline__ bool in_pieces_of_16(const Heads<E>& x, int K) {
  long long bytes = (long long)x.base | (x.batch | x.head | x.position | K) * (long long)sizeof(E);
  return bytes % 16 == 0;
}

// A kernel's parameters for one array, and the array made of them.
#define ATTENTION_ARRAY(E, x) E *x, long long x##_batch, long long x##_head, long long x##_position
#define ATTENTION_HEADS(x) \
  { x, x##_batch, x##_head, x##_position }

// The parameters that come after the arrays, the same for all kernels.
#define ATTENTION_OPTIONS                                                                                       \
  const int *lengths, int B, int H, int G, int T, int S, int K, int window, int causal, float scale, float p,   \
      const unsigned long long *counter, int call

// ---- who sees whom --------------------------------------------------------------------------------------------------

// The last key that query t sees; below 0 where it sees none.
__device__ __forceinline__ int last_key(int t, const Sizes& n, int causal) {
  return causal ? min(t + n.S - n.T, n.S - 1) : n.S - 1;
}

// The first key of the window that ends with `last`; it may be below 0.
__device__ __forceinline__ int first_key(int last, const Sizes& n) { return last - n.window + 1; }

// The first query that sees key s; it may be below 0.
__device__ __forceinline__ int first_query(int s, const Sizes& n, int causal) {
  return causal ? s - (n.S - n.T) : 0;
}

// Whether `later` is at most a window behind `sooner`: of a query's last key and a key, or of a query and the first one
// that sees a key. One comparison: what is below 0 is a large number without a sign.
__device__ __forceinline__ bool within(int later, int sooner, const Sizes& n) {
  return (unsigned int)(later - sooner) < (unsigned int)n.window;
}

// ---- dropout --------------------------------------------------------------------------------------------------------

// Which weights are dropped depends on the seed, the step, the call within the step and the weight's place alone, so no
// mask is stored: the way back draws the same bits again. Philox gives 128 bits at once, 16 for each of 8 weights:
//
//     key     = (low half of the seed, high half of the seed ^ step),   counter[0] = seed, counter[1] = step
//     counter = (t without its bit 3, s without its bits 0 and 3, b H + h, call)
//     weight (t, s) has half 4 bit3(t) + 2 bit3(s) + bit0(s) of the 8; it is kept where half >= round(65536 p).
//
// The 8 weights {t, t + 8} x {s, s + 1, s + 8, s + 9} are those that one lane holds in two neighbouring tiles of a
// tensor core, so that no lane draws in vain. Kept weights are multiplied by 1 / (1 - p).
struct Dropout {
  unsigned int key0, key1, head, call, threshold;
  float factor;
};

// `counter` lies on the device, so that a recorded graph of launches draws anew each time it is played. Null: nothing
// is dropped.
__device__ __forceinline__ Dropout make_dropout(const unsigned long long* counter, float p, int call, int head) {
  Dropout drop = {0, 0, (unsigned int)head, (unsigned int)call, 0, 1.0f};
  if (counter) {
    drop.key0 = (unsigned int)counter[0];
    drop.key1 = (unsigned int)(counter[0] >> 32) ^ (unsigned int)counter[1];
    drop.threshold = (unsigned int)(p * 65536.0f + 0.5f);
    drop.factor = 1.0f / (1.0f - p);
  }
  return drop;
}

// The bits of the 8 weights that (t, s) is one of.
__device__ __forceinline__ Bits dropout_bits(const Dropout& drop, int t, int s) {
  unsigned int t_without_3 = (unsigned int)t >> 4 << 3 | (t & 7);
  unsigned int s_without_0_and_3 = (unsigned int)s >> 4 << 2 | (s >> 1 & 3);
  // Philox derives a key for each of its rounds. The compiler would rather keep all of them in registers than add one
  // number again; this makes the key look new each time.
  unsigned int key0 = drop.key0, key1 = drop.key1;
  asm volatile("" : "+r"(key0), "+r"(key1));
  return philox(t_without_3, s_without_0_and_3, drop.head, drop.call, key0, key1);
}
