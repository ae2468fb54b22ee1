#include "statistics.h"

#include <algorithm>

#include "vector.h"

namespace graph_runtime {
namespace {

// Few enough for the cache nearest to the processor, which is read twice, and for sums in floats.
constexpr int kLanes = 8;
constexpr int64_t kBlock = 8 * kLanes * kWidth;

double SumOf(const Vector (&lanes)[kLanes]) {
  double sum = 0;
  for (int i = 0; i < kWidth; i++) {
    double lane = 0;
    for (int l = 0; l < kLanes; l += 2) lane += lanes[l][i] + lanes[l + 1][i];
    sum += lane;
  }
  return sum;
}

template <typename T>
Moments BlockMoments(const T* x) {
  Vector sums[kLanes] = {};
  for (int64_t i = 0; i < kBlock; i += kLanes * kWidth) {
    for (int l = 0; l < kLanes; l++) sums[l] += Load(x + i + l * kWidth);
  }
  // Distances from about the mean are small and keep their digits.
  const float centre = static_cast<float>(SumOf(sums) / kBlock);
  Vector distances[kLanes] = {};
  Vector squares[kLanes] = {};
  for (int64_t i = 0; i < kBlock; i += kLanes * kWidth) {
    for (int l = 0; l < kLanes; l++) {
      const Vector distance = Load(x + i + l * kWidth) - centre;
      distances[l] += distance;
      squares[l] += distance * distance;
    }
  }
  const double rest = SumOf(distances);
  return {kBlock, centre + rest / kBlock, SumOf(squares) - rest * rest / kBlock};
}

// For what fills no block.
template <typename T>
Moments ShortMoments(const T* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += ToFloat(x[i]);
  const double mean = sum / count;
  double squares = 0;
  for (int64_t i = 0; i < count; i++) {
    const double distance = ToFloat(x[i]) - mean;
    squares += distance * distance;
  }
  return {static_cast<double>(count), mean, squares};
}

}  // namespace

void Moments::Add(const Moments& other) {
  if (other.count == 0) return;
  const double total = count + other.count;
  const double distance = other.mean - mean;
  mean += distance * (other.count / total);
  squares += other.squares + distance * distance * (count * other.count / total);
  count = total;
}

template <typename T>
Moments MomentsOf(const T* x, int64_t count) {
  Moments moments;
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) moments.Add(BlockMoments(x + i));
  if (i < count) moments.Add(ShortMoments(x + i, count - i));
  return moments;
}

template Moments MomentsOf(const float* x, int64_t count);
template Moments MomentsOf(const Bfloat16* x, int64_t count);

}  // namespace graph_runtime
