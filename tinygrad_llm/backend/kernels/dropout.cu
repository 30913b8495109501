// after: packs.cuh
//
// Dropout: y = x m, where m = 1/(1-p) with probability 1-p and 0 otherwise.  (examples, per_example), n entries in all
//
// The way back is dx = g m with the same m, and that is the same kernel: m is drawn anew and never stored. It depends
// on nothing but the seed and step in the GPU's memory (counter[0], counter[1]), which call of dropout in the forward
// pass this is, the example's number and the place within the example. So a batch in two halves, the second with its
// own first_example, drops what the whole batch drops, and a recorded step draws anew when the step in memory moves on.
//
// One call of philox gives 128 random bits: four numbers, for four neighbours of an example, a quad. Each thread takes
// a pack of one or two quads, or one quad entry by entry where packs of 16 bytes do not fit.
//
// Launch with any grid and block: a thread for each pack, 16 / sizeof(T) elements, and blocks of 256 are right.

// counter = (quad of the example, call, example, 0), key = (lower half of the seed, upper half ^ step).
__device__ __forceinline__ Bits bits_of_quad(const unsigned long long* counter, int call, long long example,
                                             long long quad) {
  unsigned long long seed = counter[0];
  return philox((unsigned int)quad, (unsigned int)call, (unsigned int)example, 0u, (unsigned int)seed,
                (unsigned int)(seed >> 32) ^ (unsigned int)counter[1]);
}

// A random word is the number u = (word >> 8) / 2^24 in [0, 1): a float holds 24 bits exactly, and p is kept to 6e-8.
const float WORDS = 16777216.0f;

// u < p in whole numbers: word >> 8 is below p 2^24 exactly where it is below that number rounded up.
__device__ __forceinline__ unsigned int drop_below(float p) { return (unsigned int)ceilf(p * WORDS); }

// A product and not a choice: what is NaN stays NaN, so that it is found.
__device__ __forceinline__ float dropped(float x, unsigned int word, unsigned int below, float scale) {
  return x * (word >> 8 < below ? 0.0f : scale);
}

template <typename T>
__device__ void dropout(const T* x, T* y, long long n, long long per_example, float p,
                        const unsigned long long* counter, int call, int first_example) {
  const int N = 16 / sizeof(T);
  Team team = whole_grid();
  unsigned int below = drop_below(p);
  float scale = 1.0f / (1.0f - p);
  if (per_example % N == 0 && aligned(x) && aligned(y)) {
    long long packs = per_example / N;
    for (long long i = team.rank; i < n / N; i += team.size) {
      long long example = i / packs, quad = (i - example * packs) * (N / 4);
      Numbers<N> v = load<N>(x + i * N);
      for (int k = 0; k < N; k += 4) {
        Bits bits = bits_of_quad(counter, call, first_example + example, quad + k / 4);
        for (int j = 0; j < 4; j++) v.at[k + j] = dropped(v.at[k + j], bits.word[j], below, scale);
      }
      store(y + i * N, v);
    }
    return;
  }
  long long quads = (per_example + 3) / 4;  // the last may be longer than what is left of its example
  for (long long i = team.rank; i < n / per_example * quads; i += team.size) {
    long long example = i / quads, quad = i - example * quads, start = example * per_example;
    Bits bits = bits_of_quad(counter, call, first_example + example, quad);
    for (int j = 0; j < 4 && quad * 4 + j < per_example; j++) {
      long long at = start + quad * 4 + j;
      y[at] = from_float<T>(dropped(to_float(x[at]), bits.word[j], below, scale));
    }
  }
}

// The numbers u themselves, which dropout compares with p.  (examples, per_example), n in all
extern "C" __global__ void uniform(float* u, long long n, long long per_example, const unsigned long long* counter,
                                   int call, int first_example) {
  Team team = whole_grid();
  for (long long i = team.rank; i < n; i += team.size) {
    long long example = i / per_example, place = i - example * per_example;
    Bits bits = bits_of_quad(counter, call, first_example + example, place / 4);
    u[i] = (bits.word[place % 4] >> 8) * (1.0f / WORDS);
  }
}

#define ENTRIES(T, SUFFIX)                                                                                    \
  extern "C" __global__ void dropout_##SUFFIX(const T* x, T* y, long long n, long long per_example, float p,  \
                                              const unsigned long long* counter, int call,                    \
                                              int first_example) {                                            \
    dropout(x, y, n, per_example, p, counter, call, first_example);                                           \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
