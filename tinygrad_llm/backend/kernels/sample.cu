// Draws the next token: temperature, top_k and top_p as in generate/sampling.py, which says what they mean.
//
//   logits (rows, width), weights (rows, width) scratch, token (rows), uniform (rows) numbers in [0, 1)
//
// One block a row. All sums are in double, as on the host, so that both draw the same token. A GPU does not like to
// sort, and need not: it is enough to know the last token of the ranking that is kept. The ranking is one whole number
// a token, its key: the logit's bits in front, the id inverted behind, so that of equal logits the smaller id stands
// higher. For a given key it is easy to count the keys above it, or to sum up their weights, and halving the range of
// keys finds the last one that is kept. The draw then looks for the place at which the sum of the kept weights passes
// uniform * total.
//
// token = -1 where a logit is NaN or the largest is not finite: the host raises the error.
//
// Launch with a block for each row, of 1024 threads.

typedef unsigned long long Key;

// Bits in the order of the numbers: those of a negative float count downwards, and -0 is 0. NaN stands above all.
__device__ __forceinline__ Key key_of(float logit, int id) {
  unsigned int bits = __float_as_uint(logit + 0.0f);
  bits = logit != logit ? 0xffffffffu : bits >> 31 ? ~bits : bits | 0x80000000u;
  return (Key)bits << 32 | (0xffffffffu - (unsigned int)id);
}

__device__ __forceinline__ int id_of(Key key) { return (int)(0xffffffffu - (unsigned int)key); }

struct Row {
  const float* logits;
  double* weights;  // e^((logit - largest) / temperature)
  int width;
};

// The largest key, for every thread.
__device__ Key highest_key(Row row) {
  __shared__ Key partial[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  Key best = 0;
  for (int id = threadIdx.x; id < row.width; id += blockDim.x) best = max(best, key_of(row.logits[id], id));
  for (int distance = WARP / 2; distance > 0; distance /= 2)
    best = max(best, __shfl_xor_sync(EVERYONE, best, distance));
  if (lane == 0) partial[warp] = best;
  __syncthreads();
  for (int w = 0; w < warps; w++) best = max(best, partial[w]);
  return best;
}

// ---- what is kept ---------------------------------------------------------------------------------------------------

struct Amount {
  int count;
  double weight;
};

// How many keys are at least `low`, and the sum of their weights, for every thread. Few are, so few weights are read.
__device__ Amount amount_from(Row row, Key low) {
  __shared__ Amount partial[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  Amount own = {0, 0.0}, all = {0, 0.0};
  for (int id = threadIdx.x; id < row.width; id += blockDim.x) {
    if (key_of(row.logits[id], id) < low) continue;
    own.count++;
    own.weight += row.weights[id];
  }
  for (int distance = WARP / 2; distance > 0; distance /= 2) {
    own.count += __shfl_xor_sync(EVERYONE, own.count, distance);
    own.weight += __shfl_xor_sync(EVERYONE, own.weight, distance);
  }
  __syncthreads();  // whoever still reads the last amounts
  if (lane == 0) partial[warp] = own;
  __syncthreads();
  for (int w = 0; w < warps; w++) {
    all.count += partial[w].count;
    all.weight += partial[w].weight;
  }
  return all;
}

// Going down from the highest key, the token with which `wanted` is reached, in tokens or in weight, is the last one
// kept. The range of keys [low, low + 2 * 2^bit) holds its key and is halved until it holds no other. Then the keys
// from `low` on are those that are kept. Mostly twenty halvings are enough; equal logits take more.
__device__ Key last_kept(Row row, double wanted, bool by_weight) {
  Key low = 0;
  int from_low = row.width, above = 0;
  for (int bit = 63; bit >= 0 && from_low - above > 1; bit--) {
    Key middle = low | (Key)1 << bit;
    Amount amount = amount_from(row, middle);
    if ((by_weight ? amount.weight : amount.count) >= wanted) {
      low = middle;
      from_low = amount.count;
    } else {
      above = amount.count;
    }
  }
  return low;
}

// ---- the draw -------------------------------------------------------------------------------------------------------

// The first id at which the sum of the kept weights, in the order of ids, is above uniform * total. Each warp sums up a
// part of the ids; the part in which the sum passes the target is gone through by its warp, 32 ids at a time.
__device__ void draw_kept(Row row, Key low, double uniform, long long* token) {
  __shared__ double sums[WARP];
  int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  int part = (row.width + warps - 1) / warps, begin = min(row.width, warp * part), end = min(row.width, begin + part);
  double own = 0.0, total = 0.0, before = 0.0;
  for (int id = begin + lane; id < end; id += WARP)
    if (key_of(row.logits[id], id) >= low) own += row.weights[id];
  for (int distance = WARP / 2; distance > 0; distance /= 2) own += __shfl_xor_sync(EVERYONE, own, distance);
  if (lane == 0) sums[warp] = own;
  __syncthreads();
  for (int w = 0; w < warps; w++) total += sums[w];
  double target = uniform * total;
  int chosen = 0;
  while (chosen < warps - 1 && before + sums[chosen] <= target) before += sums[chosen++];
  if (warp != chosen) return;
  int found = -1;
  for (int start = begin; start < end; start += WARP) {
    int id = start + lane;
    double weight = id < end && key_of(row.logits[id], id) >= low ? row.weights[id] : 0.0, until = weight;
    for (int distance = 1; distance < WARP; distance *= 2) {
      double left = __shfl_up_sync(EVERYONE, until, distance);
      if (lane >= distance) until += left;
    }
    unsigned int possible = __ballot_sync(EVERYONE, weight > 0.0);
    unsigned int passed = __ballot_sync(EVERYONE, weight > 0.0 && before + until > target);
    if (passed) {
      found = start + __ffs(passed) - 1;
      break;
    }
    if (possible) found = start + WARP - 1 - __clz(possible);  // stays where rounding keeps the sum below the target
    before += __shfl_sync(EVERYONE, until, WARP - 1);
  }
  if (lane == 0) *token = found;
}

// top_k = 0 keeps all. temperature and top_p are double as on the host. `greedy` needs neither weights nor uniform.
extern "C" __global__ void draw(const float* logits, double* weights, long long* token, int width, double temperature,
                                int top_k, double top_p, int greedy, const double* uniform) {
  long long start = (long long)blockIdx.x * width;
  Row row = {logits + start, nullptr, width};
  Key top = highest_key(row);
  float largest = row.logits[id_of(top)];
  if (greedy || largest - largest != 0.0f) {
    if (threadIdx.x == 0) token[blockIdx.x] = largest - largest != 0.0f ? -1 : id_of(top);
    return;
  }
  row.weights = weights + start;
  for (int id = threadIdx.x; id < width; id += blockDim.x)
    row.weights[id] = exp(((double)row.logits[id] - largest) / temperature);
  __syncthreads();
  Key low = 0;
  if (top_k > 0 && top_k < width) low = last_kept(row, top_k, false);
  if (top_p < 1.0) low = last_kept(row, top_p * amount_from(row, low).weight, true);
  draw_kept(row, low, uniform[blockIdx.x], token + blockIdx.x);
}
