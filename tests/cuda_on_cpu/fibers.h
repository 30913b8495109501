// Each CUDA thread of a block is a fiber: a stack of its own, and one operating system thread that goes from one to the
// next. A fiber runs until it waits; then the warp's next lane runs; when no lane can, the scheduler looks at who waits
// for what. _setjmp and _longjmp change stacks without a system call, ucontext only makes them.

#pragma once
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

inline Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_on_cpu {

const int STACK_BYTES = 124 * 1024, GUARD_BYTES = 4096;  // together STACK_BYTES of build.py
enum State { READY, IN_WARP, AT_BARRIER, DONE };

struct Fiber {
  jmp_buf place;
  ucontext_t start;
  unsigned char* stack;
  bool begun;
  State state;
  unsigned int mask;    // IN_WARP: who takes part
  int line;             // where it waits
  unsigned int parity;  // two sets of slots in turn: a fast lane may write its next value while a slow one still reads
  unsigned int thread;
  Copies copies;
  Slot seen[LANES];
};

struct Engine {
  Fiber* fibers;
  jmp_buf scheduler;
  Fiber* current;
  const Launch* launch;
  Slot slots[MOST_THREADS / LANES][2][LANES];
  unsigned char* shared;
  long long block;  // how many blocks have run before, in all launches
  char message[512];
};
inline Engine engine;

inline void fail(const char* format, ...) {
  va_list values;
  va_start(values, format);
  int n = snprintf(engine.message, sizeof(engine.message), "block (%u, %u, %u): ", blockIdx.x, blockIdx.y, blockIdx.z);
  vsnprintf(engine.message + n, sizeof(engine.message) - n, format, values);
  va_end(values);
  _longjmp(engine.scheduler, 2);
}

inline void fiber_main();

inline void jump_into(Fiber* fiber) {
  engine.current = fiber;
  threadIdx.x = fiber->thread;
  if (fiber->begun) _longjmp(fiber->place, 1);
  fiber->begun = true;
  getcontext(&fiber->start);
  fiber->start.uc_stack.ss_sp = fiber->stack;
  fiber->start.uc_stack.ss_size = STACK_BYTES;
  makecontext(&fiber->start, fiber_main, 0);
  setcontext(&fiber->start);
}

inline int direction() { return engine.launch->reverse ? -1 : 1; }

// The warp's next lane that can run, in the order of this launch.
inline Fiber* next_ready(Fiber* fiber) {
  unsigned int warp = fiber->thread / LANES;
  for (int i = (int)fiber->thread + direction(); i >= 0 && i / LANES == (int)warp; i += direction())
    if (i < (int)blockDim.x && engine.fibers[i].state == READY) return &engine.fibers[i];
  return nullptr;
}

// Gives way until the scheduler says that everyone has come.
__attribute__((noinline, noipa)) inline void give_way(Fiber* self) {
  if (_setjmp(self->place)) return;
  Fiber* next = next_ready(self);
  if (next) jump_into(next);
  _longjmp(engine.scheduler, 1);
}

// One stack serves block after block.
inline void fiber_main() {
  Fiber* self = engine.current;
  for (;;) {
    engine.launch->body(engine.launch->arguments);
    self->state = DONE;
    give_way(self);
  }
}

inline void wait(State state, unsigned int mask, int line) {
  Fiber* self = engine.current;
  self->state = state;
  self->mask = mask;
  self->line = line;
  give_way(self);
  asm volatile("" ::: "memory");
}

inline void block_barrier(int line) { wait(AT_BARRIER, 0, line); }

inline void warp_barrier(unsigned int mask, int line) {
  if (!(mask >> (threadIdx.x % LANES) & 1))
    fail("line %d: thread %u is not in its own mask %08x", line, threadIdx.x, mask);
  wait(IN_WARP, mask, line);
}

inline void warp_order(unsigned int mask, int line) { warp_barrier(mask, line); }

inline Slot& own_slot() {
  Fiber* self = engine.current;
  return engine.slots[self->thread / LANES][self->parity][self->thread % LANES];
}

inline Slot* warp_exchange(unsigned int mask, int line) {
  Fiber* self = engine.current;
  Slot* slots = engine.slots[self->thread / LANES][self->parity];
  warp_barrier(mask, line);
  if (mask == 0xffffffffu) {
    self->parity ^= 1;
    return slots;
  }
  // Lanes have not all done equally many of these, so they could not agree on a parity.
  memcpy(self->seen, slots, sizeof(self->seen));
  warp_barrier(mask, line);
  return self->seen;
}

inline Copies& own_copies() { return engine.current->copies; }
inline unsigned char* shared_memory() { return engine.shared; }

// The block's first thread to come by finds what the last block has left there, and makes it NaN.
inline void fresh(long long& block, void* variable, long long bytes) {
  if (block == engine.block) return;
  block = engine.block;
  memset(variable, UNWRITTEN, bytes);
}

inline const char* doing(const Fiber& fiber) {
  if (fiber.state == DONE) return "has finished";
  return fiber.state == AT_BARRIER ? "waits in __syncthreads" : "waits in its warp";
}

// Lets the lanes go on that have all come to the same exchange. False when nobody can.
inline bool release_warp(Fiber* lanes) {
  bool any = false;
  for (int i = 0; i < LANES; i++) {
    if (lanes[i].state != IN_WARP) continue;
    unsigned int mask = lanes[i].mask;
    bool all = true;
    for (int j = 0; j < LANES; j++)
      if (mask >> j & 1)
        all = all && lanes[j].state == IN_WARP && lanes[j].mask == mask && lanes[j].line == lanes[i].line;
    if (!all) continue;
    for (int j = 0; j < LANES; j++)
      if (mask >> j & 1) lanes[j].state = READY;
    any = true;
  }
  return any;
}

// Comes back when no later lane of the warp can run either: a lane that waits hands over to the next itself.
__attribute__((noinline)) inline void run_from(Fiber* fiber) {
  if (!_setjmp(engine.scheduler)) jump_into(fiber);
}

// Runs one warp until each of its lanes stands at the block's barrier or has finished.
inline void run_warp(Fiber* lanes) {
  do {
    for (;;) {
      Fiber* next = nullptr;
      for (int i = 0; i < LANES && !next; i++) {
        Fiber* fiber = &lanes[engine.launch->reverse ? LANES - 1 - i : i];
        if (fiber->state == READY) next = fiber;
      }
      if (!next) break;
      run_from(next);
      if (engine.message[0]) return;
    }
  } while (release_warp(lanes));
  for (int i = 0; i < LANES; i++) {
    if (lanes[i].state != IN_WARP) continue;
    for (int j = 0; j < LANES; j++) {
      Fiber &one = lanes[i], &other = lanes[j];
      bool together = other.state == IN_WARP && other.line == one.line && other.mask == one.mask;
      if (!(one.mask >> j & 1) || together) continue;
      snprintf(engine.message, sizeof(engine.message),
               "block (%u, %u, %u): thread %u waits for its warp in line %d, but thread %u %s%s", blockIdx.x,
               blockIdx.y, blockIdx.z, one.thread, one.line, other.thread, doing(other),
               other.state != IN_WARP ? "" : other.mask != one.mask ? " with another mask" : " in another line");
      return;
    }
  }
}

// True while there is more to run. A barrier opens when all threads of the block stand at the same one.
inline bool open_barrier() {
  unsigned int waiting = 0, threads = blockDim.x;
  for (unsigned int i = 0; i < threads; i++) waiting += engine.fibers[i].state == AT_BARRIER;
  if (!waiting) return false;
  Fiber* one = nullptr;
  for (unsigned int i = 0; i < threads && !one; i++)
    if (engine.fibers[i].state == AT_BARRIER) one = &engine.fibers[i];
  for (unsigned int i = 0; i < threads; i++) {
    Fiber& other = engine.fibers[i];
    if (other.state == AT_BARRIER && other.line == one->line) continue;
    snprintf(engine.message, sizeof(engine.message),
             "block (%u, %u, %u): __syncthreads in line %d is reached by %u of %u threads: thread %u waits there, "
             "thread %u %s%s",
             blockIdx.x, blockIdx.y, blockIdx.z, one->line, waiting, threads, one->thread, other.thread, doing(other),
             other.state == AT_BARRIER ? " in another line" : "");
    return false;
  }
  for (unsigned int i = 0; i < threads; i++) engine.fibers[i].state = READY;
  return true;
}

inline void run_block() {
  for (unsigned int i = 0; i < blockDim.x; i++) {
    engine.fibers[i].state = READY;
    engine.fibers[i].parity = 0;
    engine.fibers[i].copies.count = engine.fibers[i].copies.group = 0;
  }
  engine.block++;
  memset(engine.shared, UNWRITTEN, engine.launch->shared_bytes);
  int warps = blockDim.x / LANES;
  do {
    for (int i = 0; i < warps && !engine.message[0]; i++)
      run_warp(&engine.fibers[LANES * (engine.launch->reverse ? warps - 1 - i : i)]);
  } while (!engine.message[0] && open_barrier());
}

// All libraries of a process share the stacks, or the guards between them would use up the memory map.
struct Stacks {
  Engine* user;   // whose fibers stand on them
  long long made;  // with guards
};

inline void take_stacks(void* memory) {
  Stacks* stacks = (Stacks*)memory;
  unsigned char* first = (unsigned char*)memory + GUARD_BYTES;
  if (!engine.fibers) engine.fibers = (Fiber*)calloc(MOST_THREADS, sizeof(Fiber));
  if (stacks->user != &engine || engine.message[0])  // or the last launch broke off in the middle
    for (int i = 0; i < MOST_THREADS; i++) {
      engine.fibers[i].begun = false;
      engine.fibers[i].thread = i;
      engine.fibers[i].stack = first + (long long)i * (GUARD_BYTES + STACK_BYTES) + GUARD_BYTES;
    }
  if (!stacks->made)
    for (int i = 0; i < MOST_THREADS; i++) mprotect(engine.fibers[i].stack - GUARD_BYTES, GUARD_BYTES, PROT_NONE);
  stacks->user = &engine;
  stacks->made = 1;
  engine.message[0] = 0;
}

// A bad address ends the launch, not the process. GCC plants an illegal instruction where it sees a vector at an
// address that is no multiple of its size, and an index beyond an array's end.
inline void bad_address(int signal, siginfo_t* info, void*) {
  if (signal == SIGSEGV) fail("thread %u reads or writes memory that is not there (%p)", threadIdx.x, info->si_addr);
  fail("thread %u uses a vector at an address that is no multiple of its size, or an index beyond an array's end",
       threadIdx.x);
}

struct CatchBadAddresses {
  stack_t before_stack, own_stack = {};  // a stack for the handler: the fiber's may be what has overflowed
  struct sigaction before[2], own = {};

  CatchBadAddresses() {
    own_stack.ss_size = 64 * 1024;
    own_stack.ss_sp = malloc(own_stack.ss_size);
    sigaltstack(&own_stack, &before_stack);
    own.sa_sigaction = bad_address;
    own.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;  // no mask to restore: _longjmp leaves the handler
    sigaction(SIGSEGV, &own, &before[0]);
    sigaction(SIGILL, &own, &before[1]);
  }
  ~CatchBadAddresses() {
    sigaction(SIGSEGV, &before[0], nullptr);
    sigaction(SIGILL, &before[1], nullptr);
    sigaltstack(&before_stack, nullptr);
    free(own_stack.ss_sp);
  }
};

// Every block of the grid. Nothing, or what went wrong.
inline const char* run_grid(const Launch& launch) {
  take_stacks(launch.stacks);
  engine.launch = &launch;
  engine.shared = (unsigned char*)aligned_alloc(1024, (launch.shared_bytes + 2047) / 1024 * 1024);
  gridDim = launch.grid;
  blockDim = launch.block;
  CatchBadAddresses catching;
  long long blocks = (long long)gridDim.x * gridDim.y * gridDim.z;
  for (long long i = 0; i < blocks && !engine.message[0]; i++) {
    long long block = launch.reverse ? blocks - 1 - i : i;
    blockIdx.x = block % gridDim.x;
    blockIdx.y = block / gridDim.x % gridDim.y;
    blockIdx.z = block / gridDim.x / gridDim.y;
    run_block();
  }
  free(engine.shared);
  return engine.message[0] ? engine.message : nullptr;
}

}  // namespace cuda_on_cpu
