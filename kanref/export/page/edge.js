// One edge at large: its function over the range of its input, the present point, and in words.

const PLOT = { width: 640, height: 300, left: 52, right: 12, top: 14, bottom: 34 };
const large = {};

/** Inputs are shown in the units of the data. */
function axis(edge) {
  if (edge.l > 0) return (x) => x;
  return (x) => x * scaling.xScale[edge.i] + scaling.xShift[edge.i];
}

function showEdge(index) {
  if (!edges[index]) return;
  if (large.index !== index) {
    large.index = index;
    const edge = edges[index];
    const item = (name, value, live) => [html("dt", {}, ...breakable(name)), html("dd", live ? { class: "live" } : {}, value)];
    large.x = html("span");
    large.phi = html("span");
    large.plot = svg("svg", { class: "plot", role: "img", "aria-label": `${edge.label}: ${edge.text}` });
    find("edge").replaceChildren(
      large.plot,
      html(
        "div",
        {},
        html("h2", { id: "edge-title" }, ...breakable(edge.label)),
        html(
          "dl",
          {},
          ...item("edge", `(${edge.l}, ${edge.i}, ${edge.j})`),
          ...item("φ", edge.text),
          ...item("score", compact(edge.score, 3)),
          ...item(PAGE.nodes[edge.l][edge.i].label, large.x, true),
          ...item("φ there", large.phi, true),
        ),
      ),
    );
    large.key = "";
  }
  drawLarge();
}

/** Draw the curve over its range, and as far beyond as the present point lies. */
function drawLarge() {
  const edge = edges[large.index];
  if (!edge) return;
  const x = state.levels[edge.l][edge.i];
  const value = phi(edge, x);
  const show = axis(edge);
  large.x.textContent = compact(show(x));
  large.phi.textContent = compact(value);
  const low = Number.isFinite(x) ? Math.min(edge.low, x) : edge.low;
  const high = Number.isFinite(x) ? Math.max(edge.high, x) : edge.high;
  PLOT.width = Math.max(large.plot.clientWidth, 240);
  PLOT.height = Math.round(clamp(0.5 * PLOT.width, 190, 300));
  const key = `${low} ${high} ${PLOT.width}`;
  if (large.key !== key) {
    large.key = key;
    drawFrame(edge, low, high, show);
  }
  const known = Number.isFinite(x) && Number.isFinite(value);
  large.spot.classList.toggle("none", !known);
  large.guide.setAttribute("d", "");
  if (!known) return;
  const [u, v] = [large.across(x), large.up(value)];
  large.spot.setAttribute("cx", round(u));
  large.spot.setAttribute("cy", round(v));
  large.guide.setAttribute("d", `M${round(u)} ${PLOT.height - PLOT.bottom}V${round(v)}H${PLOT.left}`);
}

function drawFrame(edge, low, high, show) {
  const points = sample(edge, low, high, 241);
  let [least, greatest] = span(points.map(([, y]) => y));
  if (!(greatest - least > 1e-9 * Math.max(Math.abs(least), Math.abs(greatest)))) {
    const room = Math.abs(least) || 1;
    [least, greatest] = [least - room, greatest + room];
  }
  const room = 0.06 * (greatest - least);
  [least, greatest] = [least - room, greatest + room];
  const { width, height, left, right, top, bottom } = PLOT;
  large.plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  large.plot.setAttribute("height", height);
  const across = (x) => left + ((x - low) / (high - low)) * (width - left - right);
  const up = (y) => height - bottom - ((y - least) / (greatest - least)) * (height - top - bottom);
  const text = (x, y, anchor, value) => {
    const element = svg("text", { x: round(x), y: round(y), "text-anchor": anchor });
    element.append(compact(value, 4));
    return element;
  };
  const parts = [];
  for (const [a, b] of [[low, edge.low], [edge.high, high]]) {
    if (b > a) parts.push(svg("rect", { class: "outside", x: round(across(a)), y: top, width: round(across(b) - across(a)), height: height - top - bottom }));
  }
  for (const y of ticks(least, greatest)) {
    parts.push(svg("path", { class: "grid", d: `M${left} ${round(up(y))}H${width - right}` }), text(left - 8, up(y) + 4, "end", y));
  }
  const [first, last] = [show(low), show(high)];
  for (const t of ticks(first, last)) {
    const u = across(low + ((t - first) / (last - first)) * (high - low));
    parts.push(svg("path", { class: "axis", d: `M${round(u)} ${height - bottom}v5` }), text(u, height - bottom + 20, "middle", t));
  }
  parts.push(svg("path", { class: "axis", d: `M${left} ${height - bottom}H${width - right}` }));
  if (!edge.entry.f) {
    const { k } = edge.layer;
    const knots = edge.input.knots.slice(k, edge.input.knots.length - k).filter((t) => t >= low && t <= high);
    parts.push(svg("path", { class: "knot", d: knots.map((t) => `M${round(across(t))} ${height - bottom - 5}v5`).join("") }));
  }
  parts.push(svg("path", { class: `curve ${edge.kind}`, d: path(points.map(([x, y]) => [across(x), up(y)])) }));
  large.guide = svg("path", { class: "guide", fill: "none" });
  large.spot = svg("circle", { class: "spot", r: 6 });
  Object.assign(large, { across, up });
  large.plot.replaceChildren(...parts, large.guide, large.spot);
}
