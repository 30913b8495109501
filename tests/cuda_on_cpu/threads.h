// Each CUDA thread of a block is a thread of the operating system. Slow, and in no fixed order: for the sanitizers.

#pragma once
#include <pthread.h>
#include <time.h>

inline thread_local Index3 threadIdx;
inline Index3 blockIdx, blockDim, gridDim;

#ifdef __SANITIZE_THREAD__
extern "C" {
void AnnotateIgnoreSyncBegin(const char*, int);
void AnnotateIgnoreSyncEnd(const char*, int);
void AnnotateIgnoreReadsBegin(const char*, int);
void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int);
void AnnotateIgnoreWritesEnd(const char*, int);
}
#endif

namespace cuda_on_cpu {

const int SECONDS_UNTIL_STUCK = 60;
const int BEGIN = -1, END = -2;  // instead of a line: a thread that misses a barrier meets the others' at the end

inline void fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  fprintf(stderr, "block (%u, %u, %u): ", blockIdx.x, blockIdx.y, blockIdx.z);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  abort();
}

// What a shuffle moves is ordered, what lies in memory is not: only __syncwarp and __syncthreads promise that. So
// ThreadSanitizer must not learn of the waiting within an exchange.
struct Unseen {
#ifdef __SANITIZE_THREAD__
  Unseen() {
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Unseen() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
  }
#endif
};

struct Barrier {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t open = PTHREAD_COND_INITIALIZER;
  int waiting = 0, line = 0;
  unsigned int round = 0;

  void wait(int everyone, int own_line) {
    pthread_mutex_lock(&lock);
    if (waiting && line != own_line)
      fail("threads wait in line %d and in line %d (%d: the end of the kernel)", line, own_line, END);
    line = own_line;
    if (++waiting == everyone) {
      waiting = 0;
      round++;
      pthread_cond_broadcast(&open);
    } else {
      unsigned int own_round = round;
      timespec until;
      clock_gettime(CLOCK_REALTIME, &until);
      until.tv_sec += SECONDS_UNTIL_STUCK;
      while (round == own_round)
        if (pthread_cond_timedwait(&open, &lock, &until) && round == own_round)
          fail("line %d is reached by %d of %d threads", own_line, waiting, everyone);
    }
    pthread_mutex_unlock(&lock);
  }
};

struct Warp {
  Barrier barrier;
  Slot slots[2][LANES];
};

struct Block {
  Barrier barrier;
  Warp* warps;
  unsigned char* shared;
  const Launch* launch;
};
inline Block* block;

inline thread_local unsigned int parity;
inline thread_local Copies copies;

inline void block_barrier(int line) { block->barrier.wait(blockDim.x, line); }

inline Warp& own_warp() { return block->warps[threadIdx.x / LANES]; }

inline void warp_order(unsigned int mask, int line) {
  if (mask != 0xffffffffu) fail("line %d: only whole warps wait for one another on this engine", line);
  own_warp().barrier.wait(LANES, line);
}

inline void warp_barrier(unsigned int mask, int line) {
  Unseen unseen;
  warp_order(mask, line);
}

inline Slot& own_slot() { return own_warp().slots[parity][threadIdx.x % LANES]; }

inline Slot* warp_exchange(unsigned int mask, int line) {
  Slot* slots = own_warp().slots[parity];
  warp_barrier(mask, line);
  parity ^= 1;
  return slots;
}

inline Copies& own_copies() { return copies; }
inline unsigned char* shared_memory() { return block->shared; }
inline void fresh(long long&, void*, long long) {}

inline void begin_block(long long i) {
  const Launch& launch = *block->launch;
  long long blocks = (long long)gridDim.x * gridDim.y * gridDim.z, at = launch.reverse ? blocks - 1 - i : i;
  blockIdx = {(unsigned int)(at % gridDim.x), (unsigned int)(at / gridDim.x % gridDim.y),
              (unsigned int)(at / gridDim.x / gridDim.y)};
  memset(block->shared, UNWRITTEN, launch.shared_bytes);
}

// One thread for all blocks, one after the other: under ThreadSanitizer a thread costs more than what it does.
inline void* thread_main(void* index) {
  threadIdx = {(unsigned int)(long long)index, 0, 0};
  parity = 0;
  long long blocks = (long long)gridDim.x * gridDim.y * gridDim.z;
  for (long long i = 0; i < blocks; i++) {
    if (threadIdx.x == 0) begin_block(i);
    block->barrier.wait(blockDim.x, BEGIN);
    copies.count = copies.group = 0;
    block->launch->body(block->launch->arguments);
    block->barrier.wait(blockDim.x, END);
  }
  free(copies.all);
  copies = {};
  return nullptr;
}

inline const char* run_grid(const Launch& launch) {
  gridDim = launch.grid;
  blockDim = launch.block;
  Block own;
  own.launch = &launch;
  own.warps = new Warp[blockDim.x / LANES];
  void* shared = nullptr;  // of the exact size: AddressSanitizer knows its end
  if (posix_memalign(&shared, 1024, launch.shared_bytes)) fail("no shared memory");
  own.shared = (unsigned char*)shared;
  block = &own;
  pthread_t threads[MOST_THREADS];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  for (unsigned int i = 0; i < blockDim.x; i++) {
    unsigned int thread = launch.reverse ? blockDim.x - 1 - i : i;
    if (pthread_create(&threads[i], &attributes, thread_main, (void*)(long long)thread)) fail("no thread %u", i);
  }
  for (unsigned int i = 0; i < blockDim.x; i++) pthread_join(threads[i], nullptr);
  free(own.shared);
  delete[] own.warps;
  return nullptr;
}

}  // namespace cuda_on_cpu
