// after: mma.cuh
//
// Hopper's tensor cores: four warps, a warpgroup, give one instruction together and read its operands from shared
// memory themselves, without loading them into registers first. One function an instruction.
//
// D (64 x 64, float) += A (64 x 16) B (16 x 64), in bfloat16. Warp w of the warpgroup holds rows 16 w to 16 w + 15 of
// D, eight tiles of 16 x 8 as mma.cuh draws them: d[n][c]. A comes from shared memory or, warp by warp, from the
// registers that mma.cuh draws; B always from shared memory.
//
// A matrix in shared memory is made of atoms, 8 rows of 64 numbers: 1024 bytes that begin at a multiple of 1024. Row r
// of an atom takes 128 bytes, eight pieces of 16; piece p lies where piece p ^ r would. So the eight rows of one piece,
// which are read together, lie in different banks. The atoms that hold 8 rows of HEAD numbers follow one another, then
// come those of the next 8 rows. Where 16 columns begin, and how far it is to the next 8 rows, is told to the tensor
// cores in 64 bits, a Matrix.
//
// The work goes on beside the thread, and reads shared memory by another way than the thread's own: shared_is_written
// comes between writing and reading. wgmma_begin comes before the instructions of a product, wgmma_end behind them, and
// wgmma_arrived waits for all products but the last few.
//
// Source: PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions", and there "Matrix Descriptor Format".

const int ATOM_ROWS = 8, ATOM_COLUMNS = 64, ATOM = ATOM_ROWS * ATOM_COLUMNS;
const int GROUP_ROWS = 64;   // of D: what a warpgroup computes at once
const int MATRIX_UNIT = 16;  // bytes; a Matrix counts in these

// What the tensor cores are told of a matrix of HEAD columns in shared memory: bits 0 to 13, where it begins; 32 to 45,
// how far it is to the next 8 rows; the highest two, that the pieces are exchanged. Only the lower half changes.
template <int HEAD>
struct Matrix {
  unsigned int low;
  static const unsigned int HIGH = HEAD * ATOM_ROWS * 2 / MATRIX_UNIT | 1u << 30;
};

#ifdef CUDA_ON_CPU
__device__ __forceinline__ unsigned int shared_address(const void* at) {
  return (unsigned int)((const unsigned char*)at - dynamic_shared_memory());
}
#endif

// Where an element lies in a matrix of HEAD columns, whole atoms of them.
template <int HEAD>
__device__ __forceinline__ int place_in_atoms(int row, int column) {
  int atom = row / ATOM_ROWS * (HEAD / ATOM_COLUMNS) + column / ATOM_COLUMNS;
  int r = row % ATOM_ROWS, piece = column % ATOM_COLUMNS / 8;
  return atom * ATOM + r * ATOM_COLUMNS + (piece ^ r) * 8 + column % 8;
}

// A matrix of HEAD columns.
template <int HEAD>
__device__ __forceinline__ Matrix<HEAD> matrix(const bfloat16* at) {
  return {shared_address(at) / MATRIX_UNIT & 0x3fff | 1u << 16};
}

// The same from a later column on, a multiple of 16, ...
template <int HEAD>
__device__ __forceinline__ Matrix<HEAD> from_column(Matrix<HEAD> x, int column) {
  return {x.low + (column / ATOM_COLUMNS * ATOM + column % ATOM_COLUMNS) * 2 / MATRIX_UNIT};
}

// ... or from a later row on, a multiple of 8.
template <int HEAD>
__device__ __forceinline__ Matrix<HEAD> from_row(Matrix<HEAD> x, int row) {
  return {x.low + row * HEAD * 2 / MATRIX_UNIT};
}

#if !defined(CUDA_ON_CPU) && defined(__CUDA_ARCH_FEAT_SM90_ALL)

__device__ __forceinline__ void shared_is_written() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

__device__ __forceinline__ void wgmma_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void wgmma_end() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits for all products but the last LATER ones. The empty lines of assembler say that x changes here: without them
// the compiler could use its numbers before they are there.
template <int LATER, int N>
__device__ __forceinline__ void wgmma_arrived(float (&x)[N][4]) {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LATER) : "memory");
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int c = 0; c < 4; c++) asm volatile("" : "+f"(x[n][c])::"memory");
}

#define EIGHT(d, n) \
  "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3]), "+f"(d[n + 1][0]), "+f"(d[n + 1][1]), \
      "+f"(d[n + 1][2]), "+f"(d[n + 1][3])
#define WGMMA "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
#define WGMMA_D                                                                                                   \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, " \
  "%24, %25, %26, %27, %28, %29, %30, %31}, "

// D += A B^T, or D = A B^T: 16 columns of 64 rows of a, and of 64 rows of b.
template <bool ADD, int HEAD>
__device__ __forceinline__ void wgmma_rows_rows(float (&d)[8][4], Matrix<HEAD> a, Matrix<HEAD> b) {
  asm volatile("{.reg .pred p; .reg .b64 a, b;\nmov.b64 a, {%32, %34}; mov.b64 b, {%33, %34}; setp.ne.b32 p, %35, 0;\n"
               WGMMA WGMMA_D "a, b, p, 1, 1, 0, 0;}"
               : EIGHT(d, 0), EIGHT(d, 2), EIGHT(d, 4), EIGHT(d, 6)
               : "r"(a.low), "r"(b.low), "n"(Matrix<HEAD>::HIGH), "n"((int)ADD));
}

// D[., FIRST ...] += A B: 64 columns of 16 rows of b, A from registers.
template <int FIRST, int N, int HEAD>
__device__ __forceinline__ void wgmma_registers_columns(float (&d)[N][4], const unsigned int (&a)[4], Matrix<HEAD> b) {
  asm volatile("{.reg .b64 b;\nmov.b64 b, {%36, %37};\n" WGMMA WGMMA_D "{%32, %33, %34, %35}, b, 1, 1, 1, 1;}"
               : EIGHT(d, FIRST), EIGHT(d, FIRST + 2), EIGHT(d, FIRST + 4), EIGHT(d, FIRST + 6)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.low), "n"(Matrix<HEAD>::HIGH));
}

#endif
