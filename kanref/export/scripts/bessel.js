/** The Bessel function J_order, order 0 or 1. */
function bessel(order, x) {
  const size = Math.abs(x);
  const value = size < 1 ? besselSeries(order, size)
    : size < 25 ? besselRecurrence(order, size)
    : besselHankel(order, size);
  return order === 1 && x < 0 ? -value : value;
}

/** (x/2)^order Σ (-x²/4)^n / (n! (n + order)!). */
function besselSeries(order, x) {
  let term = order === 0 ? 1 : x / 2;
  let sum = term;
  for (let n = 1; n < 12; n++) {
    term *= -(x * x) / (4 * n * (n + order));
    sum += term;
  }
  return sum;
}

/** J_(n-1) = 2n/x J_n - J_(n+1) downwards (Miller), scaled so that J_0 + 2 (J_2 + J_4 + …) = 1. */
function besselRecurrence(order, x) {
  let above = 0;
  let here = 1e-250;
  let total = 0;
  let first = 0;
  for (let n = 80; n > 0; n--) {
    [above, here] = [here, ((2 * n) / x) * here - above];
    if (n === 2) first = here;
    if (n > 1 && n % 2 === 1) total += 2 * here;
  }
  total += here;
  return (order === 0 ? here : first) / total;
}

/** √(2/πx) (P cos χ - Q sin χ), χ = x - (2 order + 1) π/4: Hankel's asymptotic series. */
function besselHankel(order, x) {
  let [P, Q, term] = [1, 0, 1];
  for (let n = 1; n < 60 && Math.abs(term) > 1e-18; n++) {
    term *= (4 * order - (2 * n - 1) ** 2) / (8 * n * x);
    const signed = (n >> 1) % 2 === 0 ? term : -term;
    if (n % 2 === 0) P += signed;
    else Q += signed;
  }
  const [s, c] = [Math.sin(x), Math.cos(x)];
  const [cosine, sine] = order === 0 ? [c + s, s - c] : [s - c, -s - c];
  return (P * cosine - Q * sine) / Math.sqrt(Math.PI * x);
}
