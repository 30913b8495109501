// Walking over arrays in packs of 16 bytes, the most that a thread can load at once.
//
// Memory answers after some hundred cycles. It is kept busy only while enough bytes are under way, and a thread that
// asks for 16 bytes instead of 2 has eight times as many. The address of a pack must be a multiple of 16. An array, or
// a row of one, may begin and end in between: the elements before the first whole pack and after the last go one by
// one.

// N numbers, as they lie in memory and as they are in registers.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T at[N];
};

template <int N>
struct Numbers {
  float at[N];
};

template <int N, typename T>
__device__ __forceinline__ Numbers<N> load(const T* from) {
  Pack<T, N> pack = *(const Pack<T, N>*)from;
  Numbers<N> x;
  for (int k = 0; k < N; k++) x.at[k] = to_float(pack.at[k]);
  return x;
}

// One instruction that stores 16 bytes. It is written out because the compiler, in some kernels, takes the store of a
// pack apart into its elements: eight stores of 2 bytes take eight times as long as one of 16.
__device__ __forceinline__ void store_16(void* to, uint4 x) {
#ifdef CUDA_ON_CPU
  *(uint4*)to = x;
#else
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};"
               :
               : "l"(__cvta_generic_to_global(to)), "r"(x.x), "r"(x.y), "r"(x.z), "r"(x.w)
               : "memory");
#endif
}

template <int N, typename T>
__device__ __forceinline__ void store(T* to, Numbers<N> x) {
  const int WORDS = sizeof(T) * N / sizeof(uint4);
  Pack<T, N> pack;
  for (int k = 0; k < N; k++) pack.at[k] = from_float<T>(x.at[k]);
  if (WORDS > 0)
    for (int w = 0; w < WORDS; w++) store_16((uint4*)to + w, ((const uint4*)&pack)[w]);
  else
    *(Pack<T, N>*)to = pack;
}

template <typename T>
__device__ __forceinline__ bool aligned(const T* address) {
  return (unsigned long long)address % 16 == 0;
}

// ---- who works on what ----------------------------------------------------------------------------------------------

// Threads that share one piece of work: the one of this rank takes items rank, rank + size, rank + 2 size, ... So
// neighbours in a warp always touch neighbours in memory, and any grid and block give the same result.
struct Team {
  long long rank, size;
};

__device__ __forceinline__ Team whole_grid() {
  Team team = {blockIdx.x * (long long)blockDim.x + threadIdx.x, gridDim.x * (long long)blockDim.x};
  return team;
}

__device__ __forceinline__ Team own_block() {
  Team team = {threadIdx.x, blockDim.x};
  return team;
}

// ---- n elements in packs --------------------------------------------------------------------------------------------

// How many elements come before the first whole pack of all arrays at once; n where there is no such place, as after a
// shift of one array by an element. A null pointer is no array. Give the one with the smallest elements first.
template <typename First, typename... Others>
__device__ __forceinline__ long long before_packs(long long n, const First* first, const Others*... others) {
  int head = (int)((16 - (unsigned long long)first % 16) % 16 / sizeof(First));
  bool together = ((!others || aligned(others + head)) && ... && true);
  return together && head < n ? head : n;
}

// A number that the compiler knows, as the type of an argument.
template <int N>
struct Count {
  static const int value = N;
};

// Calls body(Count<N>(), i) for each pack, which holds elements i to i + N - 1, and body(Count<1>(), i) for each
// element outside of the packs. A body with `auto count` is compiled twice, once for each.
template <int N, typename Body>
__device__ __forceinline__ void for_packs(Team team, long long n, long long head, Body body) {
  long long packs = (n - head) / N, singles = n - packs * N;
  for (long long p = team.rank; p < packs; p += team.size) body(Count<N>(), head + p * N);
  for (long long s = team.rank; s < singles; s += team.size) body(Count<1>(), s < head ? s : s + packs * N);
}

// ---- rows in packs --------------------------------------------------------------------------------------------------

// Each thread walks on by the whole team, so its column is found by adding; a division for each pack would be slow.
template <int N, typename Body>
__device__ __forceinline__ void for_packs_of(Team team, long long rows, int width, Body body) {
  int across = width / N, column = (int)(team.rank % across), step = (int)(team.size % across);
  for (long long p = team.rank; p < rows * across; p += team.size) {
    body(Count<N>(), p * N, column * N);
    column += step - (column >= across - step ? across : 0);
  }
}

// Calls body(Count<N>(), i, column) for each pack of rows of this width that lie one after the other: i is its first
// element's place among all, column that in its row. Packs count through all rows, so a narrow row leaves no thread
// idle, and none reaches into the next row. Where they do not fit, the body is called with Count<1>() for each element.
template <int N, typename Body>
__device__ __forceinline__ void for_row_packs(Team team, long long rows, int width, bool fit, Body body) {
  if (fit && width % N == 0)
    for_packs_of<N>(team, rows, width, body);
  else
    for_packs_of<1>(team, rows, width, body);
}

// ---- maps -----------------------------------------------------------------------------------------------------------

// y = f(x), element by element.
template <typename X, typename Y, typename F>
__device__ __forceinline__ void map(Team team, const X* x, Y* y, long long n, F f) {
  const int SIZE = 16 / (sizeof(X) < sizeof(Y) ? sizeof(X) : sizeof(Y));
  long long head = sizeof(X) < sizeof(Y) ? before_packs(n, x, y) : before_packs(n, y, x);
  for_packs<SIZE>(team, n, head, [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> a = load<N>(x + i);
    for (int k = 0; k < N; k++) a.at[k] = f(a.at[k]);
    store(y + i, a);
  });
}

// y = f(a, b), element by element.
template <typename T, typename F>
__device__ __forceinline__ void map(Team team, const T* a, const T* b, T* y, long long n, F f) {
  for_packs<16 / sizeof(T)>(team, n, before_packs(n, a, b, y), [=](auto count, long long i) {
    const int N = count.value;
    Numbers<N> u = load<N>(a + i), v = load<N>(b + i);
    for (int k = 0; k < N; k++) u.at[k] = f(u.at[k], v.at[k]);
    store(y + i, u);
  });
}
