// Inputs: a slider and a field each, under the profile of the output over this input. Outputs.

const controls = PAGE.inputs.map((input, i) => {
  const { low, high, step } = input;
  const name = inputNames[i];
  const id = `input-${i}`;
  const field = html("input", { id, type: "number", step: "any", inputmode: "decimal", autocomplete: "off" });
  const slider = html("input", { type: "range", min: low, max: high, step: "any", "aria-label": `${name}, slider` });
  const curve = svg("path");
  const dot = html("i");
  const picture = svg("svg", { viewBox: "0 0 100 52", preserveAspectRatio: "none", focusable: "false" }, curve);
  const hint = html("span", { class: "warn" });
  const element = html(
    "div",
    { class: "input" },
    html("div", { class: "head" }, html("label", { for: id }, ...breakable(input.label)), field),
    html("div", { class: "profile", "aria-hidden": "true" }, picture, dot),
    slider,
    html("div", { class: "ends" }, html("span", {}, compact(low)), hint, html("span", {}, compact(high))),
  );
  find("inputs").append(element);
  const tidy = (value) => Number((Math.round(value / step) * step).toPrecision(15));
  slider.addEventListener("input", () => {
    const value = clamp(tidy(slider.valueAsNumber), low, high);
    field.value = String(value);
    move(i, value);
  });
  field.addEventListener("input", () => {
    if (Number.isFinite(field.valueAsNumber)) slider.value = String(field.valueAsNumber);
    move(i, field.valueAsNumber);
  });
  return {
    tidy,
    set(value) {
      field.value = String(value);
      slider.value = String(value);
      state.row[i] = value;
    },
    draw() {
      const value = state.row[i];
      const outside = value < low || value > high;
      hint.textContent = Number.isNaN(value) ? "no number" : outside ? "outside the range" : "";
      field.setAttribute("aria-invalid", String(Number.isNaN(value)));
      slider.setAttribute("aria-valuetext", compact(value));
    },
    /** Draw the output over this input, all others as they are. */
    drawProfile() {
      const xs = Array.from({ length: 61 }, (_, n) => low + ((high - low) * n) / 60);
      const ys = profile(i, xs);
      const here = state.outputs[state.shown];
      const [least, greatest] = PAGE.outputs[state.shown].range;
      const [a, b] = span([...ys, least, greatest, here]);
      const top = (y) => 48 - 44 * share(y, a, b);
      curve.setAttribute("d", path(xs.map((_, n) => [(100 * n) / 60, top(ys[n])])));
      dot.hidden = !Number.isFinite(here) || !Number.isFinite(state.row[i]);
      dot.style.left = `${100 * clamp(share(state.row[i], low, high), 0, 1)}%`;
      dot.style.top = `${clamp(top(here), 2, 50)}px`;
    },
  };
});

const several = outputNames.length > 1;
find("outputs").className = several ? "several" : "few";
const verdict = html("p", { class: "verdict", id: "verdict" });
if (classes !== null) {
  const note = html("p", { class: "note" }, several ? "Bars: softmax of the outputs." : "Bar: sigmoid of the output.");
  find("outputs").append(verdict, note);
}

const readings = outputNames.map((name, o) => {
  const value = html("output", { id: `output-${o}`, "aria-live": "off" });
  const mark = html(classes === null ? "i" : "b");
  const shown = html(several ? "label" : "span", {}, ...breakable(PAGE.outputs[o].label));
  const heading = html("div", { class: "name" }, shown);
  const element = html("div", { class: "output" }, heading, value, html("div", { class: "gauge", "aria-hidden": "true" }, mark));
  if (several) {
    const radio = html("input", { type: "radio", name: "shown", id: `shown-${o}` });
    shown.setAttribute("for", radio.id);
    radio.checked = o === 0;
    radio.addEventListener("change", () => {
      state.shown = o;
      refresh();
    });
    heading.prepend(radio);
  }
  find("outputs").append(element);
  return { value, mark, element };
});

/** Probabilities of the labels, as cross-entropy training has them. */
function probabilities() {
  const y = state.levels[layers.length];
  if (y.length === 1) return [1 / (1 + Math.exp(y[0])), 1 / (1 + Math.exp(-y[0]))];
  const largest = Math.max(...y);
  const powers = y.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function drawOutputs() {
  const chances = classes === null ? null : probabilities();
  const winner = classes === null ? -1 : label(state.levels[layers.length]);
  readings.forEach(({ value, mark, element }, o) => {
    const y = state.outputs[o];
    value.textContent = compact(y, 5);
    value.dataset.value = String(y); // all digits
    element.classList.toggle("chosen", several && o === winner);
    if (chances !== null) {
      const chance = several ? chances[o] : chances[1];
      mark.style.width = `${100 * (Number.isFinite(chance) ? chance : 0)}%`;
    } else {
      const [low, high] = PAGE.outputs[o].range;
      mark.hidden = !Number.isFinite(y);
      mark.style.left = `${100 * clamp(share(y, low, high), 0, 1)}%`;
    }
  });
  if (classes !== null) {
    const chance = chances[winner];
    verdict.textContent = Number.isFinite(chance)
      ? `${classes[winner]}, ${compact(100 * chance, 3)} %`
      : "not defined";
  }
}

/** Tell a screen reader the outputs, once the inputs have come to rest. */
let announcing = 0;
function announce() {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    const said = outputNames.map((_, o) => `${PAGE.outputs[o].label}: ${compact(state.outputs[o], 4)}`);
    if (classes !== null) said.unshift(verdict.textContent);
    find("announcement").textContent = said.slice(0, 6).join("; ");
  }, 400);
}
