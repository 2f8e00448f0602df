/** The values of all nodes, level by level, from the inputs (network units) to the outputs. */
function levels(x) {
  const found = [x];
  for (const layer of layers) found.push(nodes(layer, sums(layer, found[found.length - 1])));
  return found;
}

/** Each node: the product of its factors, scale · u + bias each; a sum node has one factor. */
function nodes(layer, u) {
  return layer.nodes.map(({ factors, scale, bias }) => {
    let product = 1;
    for (const [j, s, b] of factors) product *= u[j] * s + b;
    return product * scale + bias;
  });
}

/** u_j = Σ_i φ_ij(x_i) over the edges that are there. */
function sums(layer, x) {
  const u = new Array(layer.sums).fill(0);
  layer.inputs.forEach((input, i) => {
    const at = point(layer, input, x[i]);
    for (const edge of input.splines) u[edge.to] += splineEdge(edge, at);
    for (const edge of input.functions) u[edge.to] += functionEdge(edge, x[i]);
  });
  return u;
}

/** c · f(a·x + b) + d, NaN where a·x + b is not finite. */
function functionEdge({ f, a, b, c, d }, x) {
  const t = a * x + b;
  return Number.isFinite(t) ? c * f(t) + d : NaN;
}

/** weight · base(x) + Σ_m coef_m B_m(x): only the k + 1 splines B_m of one cell are not 0. */
function splineEdge({ weight, coef }, at) {
  if (at === null) return NaN;
  let sum = weight * at.base;
  for (let r = 0; r < at.splines.length; r++) sum += coef[at.first + r] * at.splines[r];
  return sum;
}

/** What all spline edges from one input share: base(x), and the splines that are not 0 at x. */
function point({ k, linear, base }, { knots: t, splines }, x) {
  if (splines.length === 0 || !Number.isFinite(x)) return null;
  const low = t[k];
  const high = t[t.length - 1 - k];
  const value = base(x);
  if (!linear && (x < low || x >= high)) return { base: value, first: 0, splines: [] };
  const end = Math.min(Math.max(x, low), high); // beyond it, value and slope continue
  const m = cell(t, k, end);
  return { base: value, first: m - k, splines: splinesAt(t, k, m, end, x - end) };
}

/** The cell of x: the largest m with t[m] ≤ x that is not at the end of the grid. */
function cell(t, k, x) {
  const high = t[t.length - 1 - k];
  let m = k;
  let above = t.length - 1 - k;
  while (above - m > 1) {
    const middle = (m + above) >> 1;
    if (t[middle] <= x && t[middle] < high) m = middle;
    else above = middle;
  }
  return m;
}

/** The splines B_{m-k} … B_m at x (recursion of Cox and de Boor), plus `beyond` their slopes. */
function splinesAt(t, k, m, x, beyond) {
  const B = [1];
  const Q = []; // B_{p-1} over the width of its support
  for (let p = 1; p <= k; p++) {
    let left = 0;
    for (let r = 0; r < p; r++) {
      Q[r] = B[r] / (t[m + 1 + r] - t[m + 1 - p + r]);
      B[r] = left + (t[m + 1 + r] - x) * Q[r];
      left = (x - t[m + 1 - p + r]) * Q[r];
    }
    B[p] = left;
  }
  if (beyond !== 0 && k > 0) {
    for (let r = 0; r <= k; r++) {
      const slope = k * ((r > 0 ? Q[r - 1] : 0) - (r < k ? Q[r] : 0));
      B[r] += beyond * slope; // a slope of 0 leaves B as it is, however far beyond
    }
  }
  return B;
}

/** A row in the units of the network: numbers in the order of inputNames, or by these names. */
function toNetwork(row) {
  const values = Array.isArray(row) || ArrayBuffer.isView(row) ? row : byName(row);
  if (values.length !== inputNames.length) {
    throw new TypeError(`a row must have ${inputNames.length} numbers, got ${values.length}`);
  }
  return inputNames.map((name, i) => {
    if (typeof values[i] !== "number") {
      throw new TypeError(`${JSON.stringify(name)} must be a number, got ${typeof values[i]}`);
    }
    return (values[i] - scaling.xShift[i]) / scaling.xScale[i];
  });
}

function byName(row) {
  if (row === null || typeof row !== "object") {
    throw new TypeError("a row must be an array of numbers, or an object that has them by name");
  }
  const missing = inputNames.find((name) => !Object.hasOwn(row, name));
  if (missing !== undefined) throw new TypeError(`the row has no ${JSON.stringify(missing)}`);
  return inputNames.map((name) => row[name]);
}

/** Predict from one row, in the units of the data: an array, one number for each output. */
function predict(row) {
  const y = levels(toNetwork(row))[layers.length];
  return y.map((value, o) => value * scaling.yScale[o] + scaling.yShift[o]);
}

/** Predict from many rows. */
function predictMany(rows) {
  return Array.from(rows, predict);
}

/** The label of one row; its number where the model has no labels. */
function predictClass(row) {
  const index = label(levels(toNetwork(row))[layers.length]);
  return classes === null ? index : classes[index];
}

/** The largest of several outputs wins, a single one decides by its sign; the first NaN wins. */
function label(y) {
  if (y.length === 1) return y[0] > 0 ? 1 : 0;
  const none = y.findIndex(Number.isNaN);
  return none >= 0 ? none : y.indexOf(Math.max(...y));
}
