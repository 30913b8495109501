// after: packs.cuh
//
// Rotary positions: pair i of the head at position t is turned by its angle.  x, y (outer, time, head_size);
// cos, sin (time, head_size / 2), always float
//
//   y[i] = x[i] cos - sign x[i + half] sin,   y[i + half] = x[i + half] cos + sign x[i] sin,   half = head_size / 2
//
// sign = 1 turns forward and -1 back, which is the derivative: a turn is undone by its opposite. Each thread takes a
// pack out of the first half of a head and its partner out of the second, so y may be x.
//
// Launch with any grid and block: a thread for two packs, 32 / sizeof(T) elements, and blocks of 256 are right.

template <int N, typename T>
__device__ void turn(const T* x, const float* cos, const float* sin, T* y, long long heads, int time, int half,
                     float sign) {
  Team team = whole_grid();
  int packs_per_half = half / N;
  for (long long p = team.rank; p < heads * packs_per_half; p += team.size) {
    long long head = p / packs_per_half;
    int i = (int)(p - head * packs_per_half) * N, t = (int)(head % time);
    long long first = head * 2 * half + i, second = first + half;
    Numbers<N> a = load<N>(x + first), b = load<N>(x + second);
    Numbers<N> c = load<N>(cos + (long long)t * half + i), s = load<N>(sin + (long long)t * half + i);
    Numbers<N> turned_a, turned_b;
    for (int k = 0; k < N; k++) {
      turned_a.at[k] = a.at[k] * c.at[k] - sign * s.at[k] * b.at[k];
      turned_b.at[k] = b.at[k] * c.at[k] + sign * s.at[k] * a.at[k];
    }
    store(y + first, turned_a);
    store(y + second, turned_b);
  }
}

template <typename T>
__device__ void rope(const T* x, const float* cos, const float* sin, T* y, long long outer, int time, int head_size,
                     float sign) {
  const int N = 16 / sizeof(T);
  int half = head_size / 2;
  if (half % N == 0 && aligned(x) && aligned(y) && aligned(cos) && aligned(sin))
    turn<N>(x, cos, sin, y, outer * time, time, half, sign);
  else
    turn<1>(x, cos, sin, y, outer * time, time, half, sign);
}

#define ENTRIES(T, SUFFIX)                                                                                    \
  extern "C" __global__ void rope_##SUFFIX(const T* x, const float* cos, const float* sin, T* y,              \
                                           long long outer, int time, int head_size, float sign) {            \
    rope(x, cos, sin, y, outer, time, head_size, sign);                                                       \
  }

ENTRIES(float, float32)
ENTRIES(bfloat16, bfloat16)
