// Tensor cores and the copies that feed them: what sm_80 and later offer for bfloat16, one function an instruction.
//
// A tensor core multiplies small matrices. The 32 lanes of a warp hold the operands together, a few numbers in the
// registers of each, and all lanes give the instruction at once. Of C (16 x 8) lane l holds four numbers:
//
//     c[0], c[1]: row l / 4,     columns 2 (l % 4) and 2 (l % 4) + 1
//     c[2], c[3]: row l / 4 + 8, the same columns
//
// A (16 x 16) is two such tiles side by side, two numbers a register: that is why a product, rounded to bfloat16, can
// be the left operand of the next one without leaving the registers. On a CPU the tests bring the same functions.
// Source: PTX ISA, "Matrix fragments for mma.m16n8k16", "ldmatrix", "cp.async".

const int ROWS = 16;    // of the left operand; also how many numbers one instruction sums over
const int COLUMNS = 8;  // of the right operand

// Two floats in one register as bfloat16, the first in the lower half.
__device__ __forceinline__ unsigned int pack_bfloat16(float low, float high) {
#ifdef CUDA_ON_CPU
  return from_float<bfloat16>(low).bits | (unsigned int)from_float<bfloat16>(high).bits << 16;
#elif __CUDA_ARCH__ >= 800
  unsigned int pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return 0;
#endif
}

#if !defined(CUDA_ON_CPU) && __CUDA_ARCH__ >= 800

__device__ __forceinline__ unsigned int shared_address(const void* at) {
  return (unsigned int)__cvta_generic_to_shared(at);
}

// C += A B: A is 16 x 16 in bfloat16, B 16 x 8 in bfloat16, C 16 x 8 in float.
__device__ __forceinline__ void mma_16x8x16(float c[4], const unsigned int a[4], const unsigned int b[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four matrices of 8 x 8 from shared memory: lane l names row l % 8 of matrix l / 8, 16 bytes that begin at a multiple
// of 16. r[i] receives of matrix i the numbers that the picture above gives this lane.
__device__ __forceinline__ void ldmatrix_x4(unsigned int r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}

// The same, each matrix transposed on the way.
__device__ __forceinline__ void ldmatrix_x4_transposed(unsigned int r[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}

// Begins to copy 16 bytes from global to shared memory, past the registers; the thread goes on meanwhile. Where they
// are not there, zeros come and nothing is read.
__device__ __forceinline__ void cp_async_16(void* shared, const void* global, bool there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
               "r"(there ? 16 : 0)
               : "memory");
}

// What this thread has begun so far is one group ...
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// ... and this waits until all its groups but the last N have arrived. Others see them after a __syncthreads().
template <int N>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

#endif
