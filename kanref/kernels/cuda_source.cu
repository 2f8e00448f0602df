// The layer on a CUDA device: forward, backward and the statistics of its edges.
//
// Compiled for one number type and one degree: -DREAL=float|double -DDEGREE=0..5. The same text is
// compiled as C++ by the tests, where small stand-ins run a block's threads in turn.
//
// As on the CPU, the K = DEGREE + 1 splines that are not zero at a point are computed, and no array
// of (N, n_in, G + k) exists. Threads run over the outputs j, so that coefficients, stored
// (n_in, G + k, n_out), and rows of y and dy are read side by side. No floating-point number is
// added by an atomic operation: every sum has one owner and one order, and a run repeats to the bit.
//
//   sort_by_cell      the samples of each input in the order of their cells
//   forward           y = sum of the edges, in registers while the inputs pass
//   edge_gradients    gradients of the coefficients, one slab of samples for each walker
//   sum_slabs         adds up slabs
//   finish            splits d(scale * coef) into dcoef and dscale
//   input_cotangents  dx
//   edge_statistics   mean |phi|, mean and M2 of phi by Welford's rule, one slab for each walker
//   merge_statistics  merges slabs by the rule of Chan, Golub and LeVeque
//
// Grids and blocks have one dimension. "linear" and "zero" are the ways to continue a spline; in
// the latter, cells are those of all knots, k more on each side, and `pad` is k, else 0. An edge's
// `code` is 0 dead, 1 numeric, 2 symbolic.

#ifndef REAL
#define REAL double
#endif
#ifndef DEGREE
#define DEGREE 3
#endif
#define K (DEGREE + 1)
#define SAMPLES 8  // samples of a thread in `forward`, `ROWS` in kernels.launch
#define GROUP 4    // samples of a group of threads in `input_cotangents`

#ifdef KANREF_HOST
#define SHARED(type, name) type *name = (type *)host_shared()
#else
#define SHARED(type, name)                                      \
  extern __shared__ __align__(16) unsigned char shared_bytes[]; \
  type *name = (type *)shared_bytes
#endif

typedef REAL real;
typedef unsigned char byte;
typedef long long wide;

enum { ZERO, IDENTITY, SILU, TANH };  // base functions; any other is given as arrays
enum { DEAD, NUMERIC, SYMBOLIC };

// What an edge needs to know of one input of one sample.
struct Feature {
  real value[K];  // of the K splines on the cell
  real slope[K];
  real base, dbase;
  int row;     // of coef, of the first of the K splines; may be negative with "zero"
  int sample;  // -1: none
  int finite;
};

// Sizes that all kernels share.
struct Shape {
  int N, n_in, n_out, G, linear, kind;
};

__device__ inline int pad_of(int linear) { return linear ? 0 : DEGREE; }

__device__ inline int cells_of(int G, int linear) { return G + 2 * pad_of(linear); }

// --- the basis ----------------------------------------------------------------------------------

// The cell c of 0 ... count - 1 with t[c] <= v < t[c+1]: guessed as on a uniform grid, confirmed
// by comparing with the knots, else found by bisection.
__device__ inline int find_cell(real v, const real *t, int count) {
  real width = t[count] - t[0];
  if (width > 0) {
    real position = (v - t[0]) / width * count;
    int c = position < 0 ? 0 : position >= count ? count - 1 : (int)position;
    if (t[c] <= v && v < t[c + 1]) return c;
  }
  int c = 0, above = count;
  while (above - c > 1) {
    int middle = (c + above) / 2;
    if (v >= t[middle])
      c = middle;
    else
      above = middle;
  }
  return c;
}

__device__ inline real into_domain(real x, const real *t, int G) {
  return x < t[DEGREE] ? t[DEGREE] : x > t[DEGREE + G] ? t[DEGREE + G] : x;
}

// The cell of x; with "linear", t_G counts to the last cell that is not empty.
__device__ inline int cell_of(real x, const real *t, int G, int linear) {
  if (!linear) return find_cell(x, t, cells_of(G, linear));
  const real *first = t + DEGREE;
  int c = find_cell(into_domain(x, t, G), first, G);
  while (c > 0 && !(first[c] < first[c + 1])) --c;
  return c;
}

// Knot number m, continued beyond both ends; what lies there reaches only splines that do not exist.
__device__ inline real knot(const real *t, int m, int last) {
  real step = (t[last] - t[0]) / last;
  return m < 0 ? t[0] + m * step : m > last ? t[last] + (m - last) * step : t[m];
}

// The recursion of Cox and de Boor (The NURBS Book, algorithm A2.2), with 0/0 := 0.
__device__ inline void spline_basis(real x, int cell, const real *t, int G, int linear, Feature &f) {
  const int last = G + 2 * DEGREE, at = linear ? DEGREE + cell : cell;
  const real v = linear ? into_domain(x, t, G) : x;
  real quotient[K];
  f.value[0] = 1;
  quotient[0] = 0;
#pragma unroll
  for (int q = 1; q < K; ++q) {
    real saved = 0;
#pragma unroll
    for (int m = 0; m < q; ++m) {
      real left = knot(t, at + 1 - q + m, last), right = knot(t, at + 1 + m, last);
      real share = right > left ? f.value[m] / (right - left) : (real)0;
      if (q == DEGREE) quotient[m] = share;
      f.value[m] = saved + (right - v) * share;
      saved = (v - left) * share;
    }
    f.value[q] = saved;
  }
  const real beyond = x - v;
  const bool outside = !linear && (x < t[0] || x >= t[last]);
#pragma unroll
  for (int m = 0; m < K; ++m) {
    real slope = 0;
    if (m > 0) slope += DEGREE * quotient[m - 1];
    if (m < DEGREE) slope -= DEGREE * quotient[m];
    f.slope[m] = outside ? (real)0 : slope;
    f.value[m] = outside ? (real)0 : f.value[m] + beyond * slope;
  }
}

__device__ inline void base_function(real x, int kind, real &base, real &dbase) {
  if (kind == SILU) {
    real s = 1 / (1 + exp(-x));
    base = x * s;
    dbase = s * (1 + x * (1 - s));
  } else if (kind == TANH) {
    base = tanh(x);
    dbase = 1 - base * base;
  } else {
    base = kind == IDENTITY ? x : (real)0;
    dbase = kind == IDENTITY ? 1 : 0;
  }
}

// All of one input of one sample. An input that is not finite counts as t_0, and is marked.
__device__ inline Feature feature_of(const real *x, const real *given, const real *knots,
                                     const Shape &s, int n, int i) {
  const real *t = knots + (wide)i * (s.G + 2 * DEGREE + 1);
  const wide at = (wide)n * s.n_in + i;
  Feature f;
  f.sample = n;
  real v = x[at];
  f.finite = v - v == 0;
  if (!f.finite) v = t[DEGREE];
  int cell = cell_of(v, t, s.G, s.linear);
  f.row = cell - pad_of(s.linear);
  spline_basis(v, cell, t, s.G, s.linear, f);
  if (given) {
    f.base = given[at];
    f.dbase = given[(wide)s.N * s.n_in + at];
  } else {
    base_function(v, s.kind, f.base, f.dbase);
  }
  return f;
}

// The K coefficients, times the scale, of edge (i, j) from a row on; 0 where there is no such row.
__device__ inline void load_weights(const real *coef, real scale, const Shape &s, int i, int j,
                                    int row, real *w) {
  const int rows = s.G + DEGREE;
#pragma unroll
  for (int m = 0; m < K; ++m) {
    int r = row + m;
    w[m] = r >= 0 && r < rows ? scale * coef[((wide)i * rows + r) * s.n_out + j] : (real)0;
  }
}

__device__ inline real dot(const real *a, const real *w) {
  real sum = 0;
#pragma unroll
  for (int m = 0; m < K; ++m) sum += a[m] * w[m];
  return sum;
}

// dphi = dy + r0 + r1 phi + r2 sign(phi), with sign 0 = 0; r is (3, n_in, n_out).
__device__ inline real edge_cotangent(real dy, const real *r, real phi, const Shape &s, wide edge) {
  const wide n_edges = (wide)s.n_in * s.n_out;
  real sign = phi > 0 ? 1 : phi < 0 ? -1 : 0;
  return dy + r[edge] + r[n_edges + edge] * phi + r[2 * n_edges + edge] * sign;
}

// --- sorting ------------------------------------------------------------------------------------

// order[i, first ... first + length - 1]: these samples, by the cell of input i, then by number.
// Block: one input, one split of the samples. Counting sort; the ranks within a tile of samples
// are counted, not drawn, so that the order is always the same.
extern "C" __global__ void sort_by_cell(const real *x, const real *knots, int *order, int *scratch,
                                        int N, int n_in, int G, int linear, int length,
                                        int in_shared) {
  SHARED(int, tile);
  const int C = cells_of(G, linear), threads = blockDim.x, me = threadIdx.x;
  const int i = blockIdx.x % n_in, split = blockIdx.x / n_in;
  const int first = split * length, size = N - first < length ? N - first : length;
  int *sums = tile + threads;
  int *counts = in_shared ? sums + threads : scratch + (wide)blockIdx.x * C;
  const real *t = knots + (wide)i * (G + 2 * DEGREE + 1);

  for (int c = me; c < C; c += threads) counts[c] = 0;
  __syncthreads();
  for (int p = me; p < size; p += threads) {
    real v = x[(wide)(first + p) * n_in + i];
    atomicAdd(&counts[cell_of(v - v == 0 ? v : t[DEGREE], t, G, linear)], 1);
  }
  __syncthreads();

  const int share = (C + threads - 1) / threads;  // cells whose counts this thread adds up
  const int begin = me * share < C ? me * share : C, end = begin + share < C ? begin + share : C;
  int sum = 0;
  for (int c = begin; c < end; ++c) sum += counts[c];
  sums[me] = sum;
  __syncthreads();
  sum = 0;
  for (int q = 0; q < me; ++q) sum += sums[q];
  for (int c = begin; c < end; ++c) {
    int count = counts[c];
    counts[c] = sum;
    sum += count;
  }
  __syncthreads();

  for (int start = 0; start < size; start += threads) {
    int p = start + me, mine = -1;
    if (p < size) {
      real v = x[(wide)(first + p) * n_in + i];
      mine = cell_of(v - v == 0 ? v : t[DEGREE], t, G, linear);
    }
    tile[me] = mine;
    __syncthreads();
    int rank = 0, later = 0;
    for (int q = 0; q < threads; ++q) {
      rank += q < me && tile[q] == mine;
      later += q > me && tile[q] == mine;
    }
    if (p < size) order[(wide)i * N + first + counts[mine] + rank] = first + p;
    __syncthreads();
    if (p < size && later == 0) counts[mine] += rank + 1;
    __syncthreads();
  }
}

// --- forward ------------------------------------------------------------------------------------

// y (N, n_out), or slabs (slabs, N, n_out) where the inputs are shared out, `inputs` each.
// Block: `lanes` outputs, blockDim / lanes * SAMPLES samples; `chunk` inputs are staged at a time.
extern "C" __global__ void forward(const real *x, const real *given, const real *knots,
                                   const real *coef, const real *scale, const real *scale_base,
                                   const byte *code, real *y, int N, int n_in, int n_out, int G,
                                   int linear, int kind, int lanes, int chunk, int inputs) {
  SHARED(Feature, features);  // (chunk, tile)
  const Shape s = {N, n_in, n_out, G, linear, kind};
  const int threads = blockDim.x, me = threadIdx.x, tile = threads / lanes * SAMPLES;
  const int tiles_j = (n_out + lanes - 1) / lanes, tiles_n = (N + tile - 1) / tile;
  const int j = (int)(blockIdx.x % tiles_j) * lanes + me % lanes;
  const int first = (int)(blockIdx.x / tiles_j % tiles_n) * tile;
  const int slab = blockIdx.x / tiles_j / tiles_n, mine = me / lanes * SAMPLES;
  const int stop = slab * inputs + inputs < n_in ? slab * inputs + inputs : n_in;
  real sum[SAMPLES];
#pragma unroll
  for (int q = 0; q < SAMPLES; ++q) sum[q] = 0;

  for (int start = slab * inputs; start < stop; start += chunk) {
    const int here = stop - start < chunk ? stop - start : chunk;
    for (int p = me; p < here * tile; p += threads) {
      int n = first + p % tile;
      if (n < N) features[p] = feature_of(x, given, knots, s, n, start + p / tile);
    }
    __syncthreads();
    for (int a = 0; j < n_out && a < here; ++a) {
      const int i = start + a;
      const wide edge = (wide)i * n_out + j;
      const byte kind_of_edge = code[edge];
      if (kind_of_edge == DEAD) continue;
      const real edge_scale = scale ? scale[edge] : (real)1, edge_base = scale_base[edge];
#pragma unroll
      for (int q = 0; q < SAMPLES; ++q) {
        if (first + mine + q >= N) break;
        const Feature &f = features[a * tile + mine + q];
        if (!f.finite) {
          sum[q] += (real)nan("");
        } else if (kind_of_edge == NUMERIC) {
          real w[K];
          load_weights(coef, edge_scale, s, i, j, f.row, w);
          sum[q] += f.base * edge_base + dot(f.value, w);
        }
      }
    }
    __syncthreads();
  }
  if (j >= n_out) return;
#pragma unroll
  for (int q = 0; q < SAMPLES; ++q) {
    wide n = first + mine + q;
    if (n < N) y[((wide)slab * N + n) * n_out + j] = sum[q];
  }
}

// --- backward -----------------------------------------------------------------------------------

// The samples of one walker: slab `slab` of splits of `length`, each cut into `slices`.
__device__ inline void slab_of(int N, int length, int slices, int slab, int &begin, int &end) {
  const int split = slab / slices, share = (length + slices - 1) / slices;
  const int stop = split * length + length < N ? split * length + length : N;
  begin = split * length + slab % slices * share;
  if (begin > stop) begin = stop;
  end = begin + share < stop ? begin + share : stop;
}

// partial (slabs, n_in, G + k, n_out): sums over a slab of B_m dphi; partial_base: of b dphi.
// A walker, one thread, has one output j and one slab of the sorted samples of input i. The sums
// of the K splines on its present cell are in registers; a cell that it leaves behind is stored.
// Block: one input, one split, `lanes` outputs times blockDim / lanes slices.
extern "C" __global__ void edge_gradients(const real *x, const real *given, const real *knots,
                                          const real *coef, const real *scale,
                                          const real *scale_base, const byte *code,
                                          const int *order, const real *dy, const real *r,
                                          real *partial, real *partial_base, int N, int n_in,
                                          int n_out, int G, int linear, int kind, int lanes,
                                          int length) {
  SHARED(Feature, features);  // (threads,)
  const Shape s = {N, n_in, n_out, G, linear, kind};
  const int me = threadIdx.x, lane = me % lanes, slice = me / lanes, slices = blockDim.x / lanes;
  const int tiles_j = (n_out + lanes - 1) / lanes, rows = G + DEGREE;
  const int j = (int)(blockIdx.x % tiles_j) * lanes + lane;
  const int i = blockIdx.x / tiles_j % n_in, split = blockIdx.x / tiles_j / n_in;
  const int slab = split * slices + slice, share = (length + slices - 1) / slices;
  int begin, end;
  slab_of(N, length, slices, slab, begin, end);

  const wide edge = (wide)i * n_out + j;
  const bool numeric = j < n_out && code[edge] == NUMERIC;
  const real edge_scale = numeric && scale ? scale[edge] : (real)1;
  const real edge_base = numeric ? scale_base[edge] : (real)0;
  real *column = partial + ((wide)slab * n_in + i) * rows * n_out + j;
  real d[K], w[K], dbase = 0;
#pragma unroll
  for (int m = 0; m < K; ++m) d[m] = w[m] = 0;
  int row = -pad_of(linear);  // of d[0]
  bool loaded = false;

  for (int offset = 0; offset < share; offset += lanes) {
    const int p = begin + offset + lane;
    if (p < end) features[me] = feature_of(x, given, knots, s, order[(wide)i * N + p], i);
    __syncthreads();
    for (int q = 0; numeric && q < lanes && begin + offset + q < end; ++q) {
      const Feature &f = features[slice * lanes + q];
      for (; row < f.row; ++row) {
        if (row >= 0) column[(wide)row * n_out] = d[0];
#pragma unroll
        for (int m = 0; m < DEGREE; ++m) d[m] = d[m + 1];
        d[DEGREE] = 0;
        loaded = false;
      }
      real g = dy[(wide)f.sample * n_out + j];
      if (r) {
        if (!loaded) load_weights(coef, edge_scale, s, i, j, row, w);
        loaded = true;
        g = edge_cotangent(g, r, f.base * edge_base + dot(f.value, w), s, edge);
      }
      dbase += f.base * g;
#pragma unroll
      for (int m = 0; m < K; ++m) d[m] += f.value[m] * g;
    }
    __syncthreads();
  }
  if (j >= n_out) return;
  for (; row < rows; ++row) {
    if (row >= 0) column[(wide)row * n_out] = d[0];
#pragma unroll
    for (int m = 0; m < DEGREE; ++m) d[m] = d[m + 1];
    d[DEGREE] = 0;
  }
  partial_base[(wide)slab * n_in * n_out + edge] = dbase;
}

// total (ceil(slabs / fan), size): the slabs (slabs, size), added up `fan` at a time, in order.
extern "C" __global__ void sum_slabs(const real *slabs, real *total, wide size, int n_slabs,
                                     int fan) {
  const wide at = (wide)blockIdx.x * blockDim.x + threadIdx.x;
  const int groups = (n_slabs + fan - 1) / fan;
  if (at >= size * groups) return;
  const int group = (int)(at / size), first = group * fan;
  const int last = first + fan < n_slabs ? first + fan : n_slabs;
  real sum = 0;
  for (int slab = first; slab < last; ++slab) sum += slabs[slab * size + at % size];
  total[at] = sum;
}

// dcoef = scale * total and dscale = sum over the rows of coef * total; 0 where not numeric.
// dcoef may be `total`. One thread for each edge.
extern "C" __global__ void finish(const real *coef, const real *scale, const byte *code,
                                  const real *total, const real *total_base, real *dcoef,
                                  real *dscale, real *dscale_base, int n_in, int n_out, int rows) {
  const wide edge = (wide)blockIdx.x * blockDim.x + threadIdx.x;
  if (edge >= (wide)n_in * n_out) return;
  const bool numeric = code[edge] == NUMERIC;
  const real edge_scale = scale ? scale[edge] : (real)1;
  const wide first = edge / n_out * rows * n_out + edge % n_out;
  real sum = 0;
  for (int row = 0; row < rows; ++row) {
    const wide at = first + (wide)row * n_out;
    const real d = total[at];
    if (numeric) sum += coef[at] * d;
    dcoef[at] = numeric ? edge_scale * d : (real)0;
  }
  if (dscale) dscale[edge] = sum;
  dscale_base[edge] = numeric ? total_base[edge] : (real)0;
}

// dx (N, n_in): sums over the outputs of dphi phi'. NaN where the input is not finite and has a
// live edge, `reach`. Block: one input, blockDim / lanes groups of `lanes` threads (a power of two,
// at most a warp); a group has GROUP neighbours in the order by cell, which share coefficients.
extern "C" __global__ void input_cotangents(const real *x, const real *given, const real *knots,
                                            const real *coef, const real *scale,
                                            const real *scale_base, const byte *code,
                                            const byte *reach, const int *order, const real *dy,
                                            const real *r, real *dx, int N, int n_in, int n_out,
                                            int G, int linear, int kind, int lanes) {
  SHARED(Feature, features);  // (tile,)
  const Shape s = {N, n_in, n_out, G, linear, kind};
  const int threads = blockDim.x, me = threadIdx.x, tile = threads / lanes * GROUP;
  const int i = blockIdx.x % n_in, lane = me % lanes, mine = me / lanes * GROUP;
  const int first = (int)(blockIdx.x / n_in) * tile;
  for (int p = me; p < tile; p += threads) {
    if (first + p < N)
      features[p] = feature_of(x, given, knots, s, order[(wide)i * N + first + p], i);
    else
      features[p].sample = -1;
  }
  __syncthreads();
  real sum[GROUP];
#pragma unroll
  for (int q = 0; q < GROUP; ++q) sum[q] = 0;
  for (int j = lane; j < n_out; j += lanes) {
    const wide edge = (wide)i * n_out + j;
    if (code[edge] != NUMERIC) continue;
    const real edge_scale = scale ? scale[edge] : (real)1, edge_base = scale_base[edge];
    real w[K];
    int row = -2 * K;  // of w
#pragma unroll
    for (int q = 0; q < GROUP; ++q) {
      const Feature &f = features[mine + q];
      if (f.sample < 0) break;
      if (f.row != row) load_weights(coef, edge_scale, s, i, j, f.row, w);
      row = f.row;
      real g = dy[(wide)f.sample * n_out + j];
      if (r) g = edge_cotangent(g, r, f.base * edge_base + dot(f.value, w), s, edge);
      sum[q] += g * (f.dbase * edge_base + dot(f.slope, w));
    }
  }
#pragma unroll
  for (int q = 0; q < GROUP; ++q) {
    for (int width = lanes / 2; width > 0; width /= 2)
      sum[q] += __shfl_down_sync(0xffffffffu, sum[q], width, lanes);
    const Feature &f = features[mine + q];
    if (lane == 0 && f.sample >= 0)
      dx[(wide)f.sample * n_in + i] = f.finite || !reach[i] ? sum[q] : (real)nan("");
  }
}

// --- statistics ---------------------------------------------------------------------------------

// partial (3, slabs, n_in, n_out): sum of |phi|, mean and M2 of phi over a slab of samples.
// Walkers as in `edge_gradients`, samples in their own order.
extern "C" __global__ void edge_statistics(const real *x, const real *given, const real *knots,
                                           const real *coef, const real *scale,
                                           const real *scale_base, const byte *code,
                                           double *partial, int N, int n_in, int n_out, int G,
                                           int linear, int kind, int lanes, int length, int slabs) {
  SHARED(Feature, features);  // (threads,)
  const Shape s = {N, n_in, n_out, G, linear, kind};
  const int me = threadIdx.x, lane = me % lanes, slice = me / lanes, slices = blockDim.x / lanes;
  const int tiles_j = (n_out + lanes - 1) / lanes;
  const int j = (int)(blockIdx.x % tiles_j) * lanes + lane;
  const int i = blockIdx.x / tiles_j % n_in, split = blockIdx.x / tiles_j / n_in;
  const int slab = split * slices + slice, share = (length + slices - 1) / slices;
  int begin, end;
  slab_of(N, length, slices, slab, begin, end);

  const wide edge = (wide)i * n_out + j, n_edges = (wide)n_in * n_out;
  const bool numeric = j < n_out && code[edge] == NUMERIC;
  const real edge_scale = numeric && scale ? scale[edge] : (real)1;
  const real edge_base = numeric ? scale_base[edge] : (real)0;
  double total = 0, mean = 0, m2 = 0;
  for (int offset = 0; offset < share; offset += lanes) {
    const int n = begin + offset + lane;
    if (n < end) features[me] = feature_of(x, given, knots, s, n, i);
    __syncthreads();
    for (int q = 0; numeric && q < lanes && begin + offset + q < end; ++q) {
      const Feature &f = features[slice * lanes + q];
      real w[K];
      load_weights(coef, edge_scale, s, i, j, f.row, w);
      const double phi = f.base * edge_base + dot(f.value, w);
      const double delta = phi - mean;
      total += fabs(phi);
      mean += delta / (offset + q + 1);
      m2 += delta * (phi - mean);
    }
    __syncthreads();
  }
  if (j >= n_out) return;
  partial[slab * n_edges + edge] = total;
  partial[(slabs + slab) * n_edges + edge] = mean;
  partial[(2 * (wide)slabs + slab) * n_edges + edge] = m2;
}

// result (3, n_in, n_out): mean |phi|, mean and M2 over all samples. One thread for each edge.
extern "C" __global__ void merge_statistics(const double *partial, double *result, int N,
                                            wide n_edges, int length, int slices, int slabs) {
  const wide edge = (wide)blockIdx.x * blockDim.x + threadIdx.x;
  if (edge >= n_edges) return;
  double total = 0, mean = 0, m2 = 0, before = 0;
  for (int slab = 0; slab < slabs; ++slab) {
    int begin, end;
    slab_of(N, length, slices, slab, begin, end);
    const double count = end - begin;
    if (count <= 0) continue;
    const double after = before + count;
    const double delta = partial[(slabs + slab) * n_edges + edge] - mean;
    total += partial[slab * n_edges + edge];
    mean += delta * (count / after);
    m2 += partial[(2 * (wide)slabs + slab) * n_edges + edge] + delta * delta * (before * count / after);
    before = after;
  }
  result[edge] = total / before;
  result[n_edges + edge] = mean;
  result[2 * n_edges + edge] = m2;
}
