// GELU in its exact form, x · Φ(x), with Φ the cumulative distribution of the normal distribution.

#ifndef AS_MLP_OPS_GELU_H_
#define AS_MLP_OPS_GELU_H_

#include "vector.h"

namespace graph_runtime {

// GELU(x) = max(x, 0) − |x| · Φ(−|x|). The second term is a bump of at most 0.17 that fades to nothing, so that an
// error in it is small wherever x is large. Φ(−a) is 1 / P(a)^8 with a polynomial of degree 9, fitted on [0, 6] to
// the least greatest error of a · Φ(−a), 8e-9 (Gauss-Newton steps with Lawson's weights, in double precision). With
// rounding the error of GELU is below 2.5e-7 for all floats: half a unit in the last place where |x| is in [4, 6].
inline Vector Gelu(Vector x) {
  const Vector zero{};
  const Vector size = x < zero ? -x : x;
  // From here on the bump is 0 in floats; without a limit it would be infinity times 0.
  const Vector limit = Splat(40.0f);
  const Vector a = size < limit ? size : limit;
  Vector p = a * 4.24099159e-07f - 2.96863688e-06f;
  p = p * a + 1.86161393e-05f;
  p = p * a - 1.12825994e-05f;
  p = p * a + 3.38921372e-04f;
  p = p * a + 8.33349805e-04f;
  p = p * a + 9.51473669e-03f;
  p = p * a + 4.87962562e-02f;
  p = p * a + 1.08765097e-01f;
  p = p * a + 1.09050759e+00f;
  const Vector r = 1.0f / p;
  const Vector r2 = r * r;
  const Vector r4 = r2 * r2;
  // The comparison lets NaN through.
  return (x < zero ? zero : x) - a * (r4 * r4);
}

// e^x for x ≤ 0, with an error below 2e-7 of it; what is below 2^-126 becomes 0. NaN stays.
inline Vector ExpOfNegative(Vector x) {
  const Vector limit = Splat(-87.0f);
  const Vector t = x < limit ? limit : x;
  // e^x = 2^n · e^r with |r| ≤ ln(2) / 2. Adding 1.5 · 2^23 rounds to an integer, which is then in the low bits.
  const Vector magic = Splat(12582912.0f);
  const Vector shifted = t * 1.44269504f + magic;
  const Vector n = shifted - magic;
  const Vector r = (t - n * 0.693145752f) - n * 1.42860677e-06f;
  Vector p = r * 1.38888889e-03f + 8.33333333e-03f;
  p = p * r + 4.16666667e-02f;
  p = p * r + 1.66666667e-01f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Integers exponent = (reinterpret_cast<Integers>(shifted) - reinterpret_cast<Integers>(magic) + 127) << 23;
  const Vector value = p * reinterpret_cast<Vector>(exponent);
  return x < limit ? Vector{} : value;
}

// The slope of GELU, Φ(x) + x · φ(x). Φ(−a) is 1 / P(a)^8 as above, here fitted on [0, 6.5] to the least greatest error
// of Φ itself, 5e-9; with rounding the error of the slope is below 1e-6 for all floats.
inline Vector GeluSlope(Vector x) {
  const Vector zero{};
  const Vector size = x < zero ? -x : x;
  const Vector limit = Splat(40.0f);
  const Vector a = size > limit ? limit : size;  // NaN stays.
  Vector p = a * 2.92599471e-07f - 1.08732583e-06f;
  p = p * a + 7.51647308e-06f;
  p = p * a + 2.38182964e-05f;
  p = p * a + 2.74168464e-04f;
  p = p * a + 9.04438917e-04f;
  p = p * a + 9.46931893e-03f;
  p = p * a + 4.88120235e-02f;
  p = p * a + 1.08762529e-01f;
  p = p * a + 1.09050773e+00f;
  const Vector r = 1.0f / p;
  const Vector r2 = r * r;
  const Vector r4 = r2 * r2;
  const Vector tail = r4 * r4;
  const Vector bump = a * ExpOfNegative(a * a * -0.5f) * 0.398942280f;
  return x < zero ? tail - bump : (1.0f - tail) + bump;
}

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_GELU_H_
