// What CUDA gives a kernel, for one host thread: the threads of a block are fibers that take turns.
// A fiber runs until it ends or waits: for its block (__syncthreads) or its warp (shuffles).
#pragma once
#include <math.h>
#include <string.h>
#include <ucontext.h>

#include <functional>
#include <stdexcept>
#include <vector>

#define __global__ static
#define __device__ static
#define __align__(n) __attribute__((aligned(n)))

struct Index {
  unsigned x;
};
static Index blockIdx, threadIdx, blockDim, gridDim;

namespace host {
enum State { READY, AT_BLOCK, AT_WARP, DONE };
struct Fiber {
  ucontext_t context;
  std::vector<char> stack;
  State state;
  double slot;
};
static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static std::vector<unsigned char> memory;
static std::function<void()> body;

static void enter() {
  body();
  fibers[threadIdx.x].state = DONE;
}

static void wait(State state) {
  unsigned me = threadIdx.x;
  fibers[me].state = state;
  swapcontext(&fibers[me].context, &scheduler);
}

// All threads of a warp, or of the block, that are not done wait in the same way: let them go on.
static bool release(size_t begin, size_t end, State state) {
  bool any = false;
  for (size_t t = begin; t < end; ++t) {
    if (fibers[t].state == READY || (state == AT_WARP && fibers[t].state == AT_BLOCK)) return false;
    if (state == AT_BLOCK && fibers[t].state == AT_WARP) return false;
    any |= fibers[t].state == state;
  }
  for (size_t t = begin; any && t < end; ++t)
    if (fibers[t].state == state) fibers[t].state = READY;
  return any;
}

static void run_block(size_t threads) {
  for (size_t t = 0; t < threads; ++t) {
    Fiber &f = fibers[t];
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.data();
    f.context.uc_stack.ss_size = f.stack.size();
    f.context.uc_link = &scheduler;
    f.state = READY;
    makecontext(&f.context, enter, 0);
  }
  for (;;) {
    bool ran = false, all = true;
    for (size_t t = 0; t < threads; ++t) {
      if (fibers[t].state == READY) {
        threadIdx.x = (unsigned)t;
        swapcontext(&scheduler, &fibers[t].context);
        ran = true;
      }
      all &= fibers[t].state == DONE;
    }
    if (all) return;
    for (size_t w = 0; w < threads; w += 32)
      ran |= release(w, w + 32 < threads ? w + 32 : threads, AT_WARP);
    ran |= release(0, threads, AT_BLOCK);
    if (!ran) throw std::runtime_error("the threads of a block wait for each other");
  }
}

static void run(int blocks, int threads, int shared, std::function<void()> kernel) {
  fibers.resize(threads);
  for (auto &f : fibers) f.stack.resize(1 << 15);
  body = kernel;
  gridDim.x = blocks;
  blockDim.x = threads;
  for (int b = 0; b < blocks; ++b) {
    memory.assign(shared + 64, 0xff);  // bytes of NaN: what was not written must not be read
    blockIdx.x = b;
    run_block(threads);
    for (int q = 0; q < 64; ++q)
      if (memory[shared + q] != 0xff) throw std::runtime_error("written beyond shared memory");
  }
}
}  // namespace host

static void *host_shared() { return host::memory.data(); }
static void __syncthreads() { host::wait(host::AT_BLOCK); }
static int atomicAdd(int *at, int value) {
  int old = *at;
  *at += value;
  return old;
}
template <class T>
static T __shfl_down_sync(unsigned, T value, int delta, int width) {
  unsigned me = threadIdx.x, lane = me % width;
  host::fibers[me].slot = value;
  host::wait(host::AT_WARP);
  T other = lane + delta < (unsigned)width ? (T)host::fibers[me + delta].slot : value;
  host::wait(host::AT_WARP);
  return other;
}
