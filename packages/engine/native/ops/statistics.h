// Mean and variance of many numbers in one pass over memory.

#ifndef AS_MLP_OPS_STATISTICS_H_
#define AS_MLP_OPS_STATISTICS_H_

#include <cstdint>

namespace graph_runtime {

struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;  // Sum of squared distances from the mean.

  double variance() const { return squares / count; }
  // Of both together (Chan, Golub & LeVeque, 1979).
  void Add(const Moments& other);
};

// Accurate also where the mean is much larger than the deviation; NaN and infinity make NaN. For float and Bfloat16.
template <typename T>
Moments MomentsOf(const T* x, int64_t count);

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_STATISTICS_H_
