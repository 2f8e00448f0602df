/** The error function, from erfc where that is small and from its series elsewhere. */
function erf(x) {
  if (Math.abs(x) >= 2) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  // 2/√π exp(-x²) Σ 2^n x^(2n+1) / (1·3·5·…·(2n+1)): no term is negative
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** 1 - erf(x) without loss where it is small: the continued fraction of Laplace. */
function erfc(x) {
  if (x < 2) return 1 - erf(x);
  let fraction = x;
  for (let n = 100; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
