// Small tools: elements, numbers as people write them, axes.

/** Make an HTML element with attributes and children. */
function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an SVG element with attributes and children. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A name that may break after its underscores. */
function breakable(name) {
  const parts = name.split(/(?<=_)/);
  return parts.flatMap((part, n) => (n > 0 ? [html("wbr"), part] : [part]));
}

const find = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const round = (value) => Math.round(value * 10) / 10;

const raised = (text) => text.replace(/[-\d]/g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");

/** A number to some significant digits: −0.0123, 4.57 × 10⁶. */
function compact(value, digits = 4) {
  if (Number.isNaN(value)) return "not defined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let text;
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    text = `${Number(mantissa)} × 10${raised(String(Number(exponent)))}`;
  } else {
    text = String(Number(value.toPrecision(digits)));
  }
  return text.replace(/^-/, "−");
}

/** Between four and seven round numbers that cover [low, high] from within. */
function ticks(low, high) {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((s) => s * power >= raw * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push(n * step);
  return found.map((value) => Number(value.toPrecision(12)));
}

/** The path through points; it breaks where one is not finite. */
function path(points) {
  let text = "";
  let pen = "M";
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) {
      text += `${pen}${round(x)} ${round(y)}`;
      pen = "L";
    } else {
      pen = "M";
    }
  }
  return text;
}

/** Least and greatest of the finite values; [0, 0] if there is none. */
function span(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** The place of a value between two others, from 0 to 1; 1/2 where they are the same. */
function share(value, low, high) {
  const flat = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));
  return flat ? (Number.isNaN(value) ? NaN : 0.5) : (value - low) / (high - low);
}
