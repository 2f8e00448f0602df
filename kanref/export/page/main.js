// The table of the edges, and who tells whom.

const rows = new Map();

function drawTable() {
  const greatest = Math.max(...edges.map(({ score }) => score), Number.MIN_VALUE);
  const body = html("tbody");
  const ranked = [...edges].sort((a, b) => b.score - a.score).slice(0, 300);
  for (const edge of ranked) {
    const button = html("button", { type: "button" }, ...breakable(edge.label));
    button.addEventListener("click", () => {
      pin(edge.index);
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      find("edge").scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    });
    const bar = html("i", { class: `bar ${edge.kind}` });
    bar.style.width = `${100 * clamp(edge.score / greatest, 0, 1)}%`;
    const row = html(
      "tr",
      {},
      html("td", {}, button),
      html("td", {}, edge.text),
      html("td", { class: "number" }, compact(edge.score, 3)),
      html("td", { class: "meter", "aria-hidden": "true" }, bar),
    );
    rows.set(edge.index, row);
    body.append(row);
  }
  const head = ["edge", "function", "score"].map((name) =>
    html("th", { scope: "col", class: name === "score" ? "number" : undefined }, name),
  );
  find("edges").append(html("table", {}, html("thead", {}, html("tr", {}, ...head, html("th", { class: "meter", "aria-hidden": "true" }))), body));
}

function markRow(index) {
  for (const [other, row] of rows) row.classList.toggle("on", other === index);
}

/** An input has a new value: show what follows from it before the next picture. */
let waiting = false;
function move(i, value) {
  state.row[i] = value;
  compute();
  drawOutputs();
  announce();
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawRest();
  });
}

function refresh() {
  compute();
  drawOutputs();
  drawRest();
}

function drawRest() {
  drawPoint();
  drawLarge();
  for (const control of controls) control.draw();
  drawProfiles();
}

/** Draw the profiles, some milliseconds of them before each picture. */
let queue = [];
function drawProfiles() {
  const idle = queue.length === 0;
  queue = controls.slice();
  const work = () => {
    const until = performance.now() + 12;
    while (queue.length > 0 && performance.now() < until) queue.shift().drawProfile();
    if (queue.length > 0) requestAnimationFrame(work);
  };
  if (idle) work();
}

function set(row) {
  controls.forEach((control, i) => control.set(row[i]));
  refresh();
  announce();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function drawTheme() {
  find("theme").setAttribute("aria-pressed", String(isDark()));
}

find("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  drawTheme();
});
find("reset").addEventListener("click", () => set(PAGE.inputs.map(({ start }) => start)));
find("random").addEventListener("click", () => {
  set(PAGE.inputs.map(({ low, high }, i) => clamp(controls[i].tidy(low + Math.random() * (high - low)), low, high)));
});

find("profile-note").textContent = several
  ? "Above each slider: the chosen output over this input."
  : "Above each slider: the output over this input.";
if (edges.length > 0) state.pinned = edges.reduce((best, edge) => (edge.score > best.score ? edge : best)).index;
compute();
drawTheme();
drawTable();
drawNetwork();
if (edges.length > 0) pin(state.pinned);
set(state.row.slice());
new ResizeObserver(() => {
  drawNetwork();
  drawPoint();
  drawLarge();
}).observe(find("network"));
document.documentElement.dataset.ready = "true";
