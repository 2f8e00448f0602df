// The network: nodes, wires, and a box with a curve on every edge. PAGE.layouts are arrangements of
// several widths, in inches with y upwards.

const INCH = 84;
const drawing = { boxes: new Map(), nodes: [], values: [], width: 0, current: -1 };

/** Draw the widest arrangement that fits, or the narrowest. */
function drawNetwork() {
  const home = find("network");
  const room = home.clientWidth;
  const fitting = PAGE.layouts.filter((layout) => size(layout)[0] <= room * 1.12);
  const layout = fitting.at(-1) ?? PAGE.layouts[0];
  if (drawing.layout === layout && drawing.room === room) return;
  const focused = document.activeElement?.dataset?.edge;
  Object.assign(drawing, { layout, room, boxes: new Map(), nodes: [], values: [] });
  const [width, height] = size(layout);
  const scale = clamp(room / width, 0.88, 1.4);
  const sheet = svg("svg", {
    viewBox: `0 0 ${round(width)} ${round(height)}`,
    width: round(width * scale),
    height: round(height * scale),
    role: "group",
    "aria-labelledby": "network-title",
    "aria-describedby": "network-help",
  });
  const wires = svg("g");
  const boxes = svg("g");
  layout.edges.forEach((place) => {
    const edge = edges[place.edge];
    const wire = drawWire(layout, place, edge);
    const box = drawBox(layout, place, edge);
    drawing.boxes.set(edge.index, { ...box, wire });
    wires.append(wire);
    boxes.append(box.group);
  });
  sheet.append(wires, boxes, drawNodes(layout), drawNames(layout));
  home.replaceChildren(sheet);
  const roving = drawing.boxes.get(state.pinned) ?? drawing.boxes.values().next().value;
  roving?.group.setAttribute("tabindex", "0");
  if (focused !== undefined) drawing.boxes.get(Number(focused))?.group.focus();
  mark(state.pinned);
}

function size(layout) {
  const [left, bottom, right, top] = layout.margins;
  return [(left + layout.width + right) * INCH, (bottom + layout.height + top) * INCH];
}

/** From inches, y upwards, to units of the sheet. */
function place({ margins: [left, , , top], height }, [x, y]) {
  return [(left + x) * INCH, (top + height - y) * INCH];
}

/** A wire leaves and arrives upright. */
function smooth(layout, points) {
  const at = points.map((point) => place(layout, point));
  let text = `M${round(at[0][0])} ${round(at[0][1])}`;
  for (let n = 1; n < at.length; n++) {
    const [[x, y], [u, v]] = [at[n - 1], at[n]];
    const half = (y + v) / 2;
    text += x === u
      ? `V${round(v)}`
      : `C${round(x)} ${round(half)} ${round(u)} ${round(half)} ${round(u)} ${round(v)}`;
  }
  return text;
}

function drawWire(layout, { into, out }, edge) {
  return svg("path", {
    class: `wire ${edge.kind}`,
    d: smooth(layout, into) + smooth(layout, out),
    "stroke-opacity": round3(edge.opacity * clamp(1.15 - layout.edges.length / 320, 0.3, 1)),
  });
}

const round3 = (value) => Math.round(value * 1000) / 1000;
const CAPTION = 0.3;
const MARGIN = 0.1;

function drawBox(layout, { x, y }, edge) {
  const [left, bottom] = place(layout, [x, y]);
  const side = layout.box * INCH;
  const top = bottom - side;
  const head = edge.caption ? CAPTION : MARGIN;
  const [width, height] = [(1 - 2 * MARGIN) * side, (1 - MARGIN - head) * side];
  edge.points ??= sample(edge, edge.low, edge.high);
  edge.span ??= span(edge.points.map(([, value]) => value));
  const [least, greatest] = edge.span;
  const at = ([u, v]) => [
    left + MARGIN * side + width * share(u, edge.low, edge.high),
    top + head * side + height * (1 - share(v, least, greatest)),
  ];
  const dot = svg("circle", { class: "dot", r: round(clamp(side * 0.085, 2.4, 4)), "stroke-width": 1.2 });
  const group = svg(
    "g",
    {
      class: `box ${edge.kind}`,
      role: "button",
      tabindex: "-1",
      "data-edge": edge.index,
      "aria-label": `${edge.label}: ${edge.text}, score ${compact(edge.score, 3)}`,
    },
    svg("rect", {
      x: round(left), y: round(top), width: round(side), height: round(side), rx: round(side * 0.1),
      "stroke-opacity": edge.opacity,
    }),
  );
  if (least < 0 && greatest > 0) {
    const zero = round(at([0, 0])[1]);
    group.append(svg("path", { class: "zero", d: `M${round(left + MARGIN * side)} ${zero}h${round(width)}` }));
  }
  group.append(svg("path", {
    class: "curve",
    d: path(edge.points.map(at)),
    "stroke-width": round(clamp(side * 0.042, 1.1, 2)),
    "stroke-opacity": Math.max(edge.opacity, 0.35),
  }));
  if (edge.caption) {
    const letters = Math.max([...edge.caption].length, 1);
    const points = Math.min(11.5, 0.22 * side, (1.45 * side) / letters);
    const text = svg("text", { x: round(left + side / 2), y: round(top + (CAPTION * side) / 2 + points * 0.34), "font-size": round(points) });
    text.append(edge.caption);
    group.append(text);
  }
  group.append(dot);
  return { group, dot, at };
}

function drawNodes(layout) {
  const group = svg("g");
  layout.stems.forEach(([a, b]) => group.append(svg("path", { class: "stem", d: path([place(layout, a), place(layout, b)]) })));
  layout.nodes.forEach((level, l) => {
    level.forEach((spot, n) => {
      const about = PAGE.nodes[l][n];
      const [x, y] = place(layout, spot);
      const title = svg("title");
      const body = svg("circle", { class: "body", cx: round(x), cy: round(y), r: about.product ? 8.5 : 5 });
      const node = svg("g", { class: `node${about.product ? " product" : ""}${about.alive ? "" : " dead"}` }, title, body);
      if (about.product) {
        node.append(svg("path", { class: "cross", d: `M${round(x - 3.6)} ${round(y - 3.6)}l7.2 7.2m0 -7.2l-7.2 7.2` }));
      }
      drawing.nodes.push({ title, l, n });
      group.append(node);
    });
  });
  return group;
}

/** Names below the inputs and above the outputs, with their present values. */
function drawNames(layout) {
  const group = svg("g", { class: "names", "aria-hidden": "true" });
  const line = 16;
  for (const [labels, l, below] of [[layout.inputs, 0, true], [layout.outputs, PAGE.nodes.length - 1, false]]) {
    layout.nodes[l].forEach((spot, n) => {
      const [x, y] = place(layout, spot);
      const lines = labels.texts[n].split("\n");
      if (labels.rotation) {
        const text = svg("text", {
          x: round(x), y: round(y), "font-size": 12.5, "text-anchor": below ? "end" : "start",
          transform: `rotate(${-labels.rotation} ${round(x)} ${round(y)}) translate(${below ? -12 : 12} 4)`,
        });
        text.append(lines.join(" "));
        group.append(text);
        return;
      }
      const last = lines.length - 1;
      lines.forEach((part, row) => {
        const text = svg("text", {
          class: "halo", x: round(x), "font-size": 13.5, "text-anchor": "middle",
          y: round(below ? y + 21 + row * line : y - 29 - (last - row) * line),
        });
        text.append(part);
        group.append(text);
      });
      const value = svg("text", {
        class: "value halo", x: round(x), "font-size": 12.5, "text-anchor": "middle",
        y: round(below ? y + 21 + (last + 1) * line : y - 13),
      });
      drawing.values.push({ value, l, n });
      group.append(value);
    });
  }
  return group;
}

/** Put the present point on every curve. */
function drawPoint() {
  for (const [index, { dot, at }] of drawing.boxes) {
    const edge = edges[index];
    const x = state.levels[edge.l][edge.i];
    const inside = clamp(x, edge.low, edge.high);
    const [u, v] = at([inside, clamp(phi(edge, inside), ...edge.span)]);
    const known = Number.isFinite(u) && Number.isFinite(v);
    dot.classList.toggle("none", !known);
    dot.classList.toggle("beyond", inside !== x);
    if (known) {
      dot.setAttribute("cx", round(u));
      dot.setAttribute("cy", round(v));
    }
  }
  for (const { title, l, n } of drawing.nodes) {
    title.textContent = `${PAGE.nodes[l][n].label}: ${compact(shownValue(l, n))}`;
  }
  for (const { value, l, n } of drawing.values) value.textContent = compact(shownValue(l, n), 3);
}

/** The value of a node: inputs and outputs in data units. */
function shownValue(l, n) {
  if (l === 0) return state.row[n];
  return l === layers.length ? state.outputs[n] : state.levels[l][n];
}

/** Mark an edge everywhere, and tell about it. */
function mark(index) {
  for (const [other, { group, wire }] of drawing.boxes) {
    group.classList.toggle("on", other === index);
    wire.classList.toggle("on", other === index);
    group.setAttribute("aria-pressed", String(other === state.pinned));
  }
  markRow(index);
  showEdge(index);
}

function pin(index) {
  state.pinned = index;
  for (const [other, { group }] of drawing.boxes) group.setAttribute("tabindex", other === index ? "0" : "-1");
  mark(index);
  reveal(index);
}

/** Scroll a wide network sideways until a box can be seen. */
function reveal(index) {
  const box = drawing.boxes.get(index)?.group.getBoundingClientRect();
  const home = find("network");
  const frame = home.getBoundingClientRect();
  if (!box || (box.left >= frame.left && box.right <= frame.right)) return;
  home.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
}

/** The edge to which an arrow key leads: the nearest box in that direction. */
function neighbour(index, key) {
  const places = drawing.layout.edges;
  const here = places.find(({ edge }) => edge === index);
  const order = places.map(({ edge }) => edge);
  if (key === "Home") return order[0];
  if (key === "End") return order.at(-1);
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  let [best, least] = [index, Infinity];
  for (const other of places) {
    const [x, y] = [other.x - here.x, other.y - here.y];
    const along = x * dx + y * dy;
    const across = Math.abs(x * dy) + Math.abs(y * dx);
    const cost = along + 3 * across;
    if (along > 0.01 && (dx === 0 || across < 0.01) && cost < least) [best, least] = [other.edge, cost];
  }
  return best;
}

{
  const home = find("network");
  const edgeOf = (target) => target.closest?.("[data-edge]")?.dataset.edge;
  home.addEventListener("pointerover", (event) => {
    const index = edgeOf(event.target);
    if (index !== undefined) mark(Number(index));
  });
  home.addEventListener("pointerleave", () => mark(state.pinned));
  home.addEventListener("click", (event) => {
    const index = edgeOf(event.target);
    if (index !== undefined) pin(Number(index));
  });
  home.addEventListener("focusin", (event) => {
    const index = edgeOf(event.target);
    if (index !== undefined) pin(Number(index));
  });
  home.addEventListener("keydown", (event) => {
    const index = edgeOf(event.target);
    if (index === undefined || !/^(Arrow(Left|Right|Up|Down)|Home|End|Enter| )$/.test(event.key)) return;
    event.preventDefault();
    if (event.key === "Enter" || event.key === " ") return pin(Number(index));
    drawing.boxes.get(neighbour(Number(index), event.key))?.group.focus();
  });
}
