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

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_GELU_H_
