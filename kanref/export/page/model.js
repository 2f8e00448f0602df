// The present point, and what the model makes of it. `levels`, `point`, `splineEdge`, … are those
// of the evaluator above; PAGE is what kanref found out about the model.

const SAMPLES = 81;

/** φ of an edge at x, network units. */
function phi(edge, x) {
  const { layer, input, entry } = edge;
  return entry.f ? functionEdge(entry, x) : splineEdge(entry, point(layer, input, x));
}

/** All edges, each with where its numbers stand, and its curve over the range of its input. */
const edges = PAGE.edges.map((about, index) => {
  const layer = layers[about.l];
  const input = layer.inputs[about.i];
  const entry = [...input.splines, ...input.functions].find(({ to }) => to === about.j);
  const edge = { ...about, index, layer, input, entry };
  const [low, high] = PAGE.ranges[about.l][about.i];
  edge.low = low;
  edge.high = high;
  edge.kind = entry.f ? "symbolic" : "spline";
  return edge;
});

/** Sample an edge between two points: [x, φ] each. */
function sample(edge, low, high, count = SAMPLES) {
  return Array.from({ length: count }, (_, n) => {
    const x = low + ((high - low) * n) / (count - 1);
    return [x, phi(edge, x)];
  });
}

const state = {
  row: PAGE.inputs.map(({ start }) => start),
  levels: [],
  outputs: [],
  shown: 0, // the output of which the profiles are drawn
  pinned: 0, // the edge that stays when the pointer has left
};

/** Compute everything at the present row; NaN stands for a field that holds no number. */
function compute() {
  state.levels = levels(toNetwork(state.row));
  state.outputs = inData(state.levels[layers.length]);
}

function inData(y) {
  return y.map((value, o) => value * scaling.yScale[o] + scaling.yShift[o]);
}

/** What the shown output would be if input i had other values. */
function profile(i, values) {
  const row = state.row.slice();
  return values.map((value) => {
    row[i] = value;
    return inData(levels(toNetwork(row))[layers.length])[state.shown];
  });
}
