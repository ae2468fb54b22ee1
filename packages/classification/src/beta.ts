import type { Rng } from '@as-mlp/base';

/** A number in [0, 1] from the symmetric beta law Beta(alpha, alpha), alpha > 0. */
export function drawBeta(alpha: number, rng: Rng): number {
  const first = drawGamma(alpha, rng);
  return first / (first + drawGamma(alpha, rng));
}

/** A number from the gamma law of shape `alpha` (Marsaglia and Tsang, 2000). */
function drawGamma(alpha: number, rng: Rng): number {
  if (alpha < 1) return drawGamma(alpha + 1, rng) * (1 - rng.next()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = rng.normal(1)[0]!;
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    // 1 − u lies in (0, 1], where the logarithm is finite.
    if (Math.log(1 - rng.next()) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return d * v;
  }
}
