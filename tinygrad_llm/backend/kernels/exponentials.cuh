// The largest number of a row and the sum of the exponentials above it, in one pass over memory: what softmax and
// cross-entropy stand on.  After packs.cuh.
//
// Whoever sees the numbers one after the other keeps the largest so far, and a sum of exponentials that are measured
// from it; a new largest number shrinks the old sum. Two such pairs join in the same way, so the threads of a block
// each take a part of the row. Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.

__device__ __forceinline__ float minus_infinity() { return __int_as_float(0xff800000); }

__device__ __forceinline__ float not_a_number() { return __int_as_float(0x7fc00000); }

struct Exponentials {
  float top, sum;  // sum of e^(x - top)
};

// Takes a whole pack at a time: its own largest number first, so that the old sum is shrunk once and not N times.
template <int N>
__device__ __forceinline__ void include(Exponentials& so_far, Numbers<N> x) {
  float top = so_far.top;
  for (int k = 0; k < N; k++) top = fmaxf(top, x.at[k]);
  float from = top == minus_infinity() ? 0.0f : top;  // nothing but -inf as yet: each counts e^-inf = 0
  if (top > so_far.top) so_far.sum *= __expf(so_far.top - from);
  for (int k = 0; k < N; k++) so_far.sum += __expf(x.at[k] - from);
  so_far.top = top;
}

// Joins the threads' parts, for every thread of the block; `partial` is shared memory for 32 floats. If the largest
// number is infinite, -inf or inf, top - top makes the sum NaN, as NumPy's exp(x - max) would.
__device__ __forceinline__ Exponentials of_block(Exponentials own, float* partial) {
  Exponentials all;
  all.top = block_max(own.top, partial);
  all.sum = block_sum(own.sum * __expf(own.top - all.top), partial);
  return all;
}
