#include <algorithm>
#include <utility>

#include "kernel.h"
#include "ops.h"
#include "thread-pool.h"
#include "vector.h"

namespace graph_runtime {
namespace {

// Elements that a thread moves at a time, about.
constexpr int64_t kChunk = 1 << 14;

struct Group {
  int64_t first;
  int64_t end;
  int64_t displacement;
};

// A call of memcpy would cost more than the twenty floats that most groups have.
inline void Copy(const float* from, float* to, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) Store(to + i, Load(from + i));
  for (; i < count; i++) to[i] = from[i];
}

class ShiftKernel {
 public:
  explicit ShiftKernel(const Attributes& attributes) : axis_(attributes.Integer("axis")) {
    const std::vector<int64_t> ends = attributes.Integers("ends");
    const std::vector<int64_t> displacements = attributes.Integers("displacements");
    if (axis_ != 1 && axis_ != 2) Fail("a shift is along axis 1 or 2");
    if (ends.size() != displacements.size()) Fail("there are as many ends as displacements");
    int64_t first = 0;
    for (size_t g = 0; g < ends.size(); g++) {
      if (ends[g] <= first) Fail("the ends of channel groups ascend");
      groups_.push_back({first, ends[g], displacements[g]});
      first = ends[g];
    }
  }

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 4);
    const int64_t channels = x.last();
    if (x.shape.size() != 4 || channels != (groups_.empty() ? 0 : groups_.back().end)) {
      Fail("x is " + ToText(x.shape) + " and the channel groups end at " +
           std::to_string(groups_.empty() ? 0 : groups_.back().end));
    }
    const int64_t height = x.shape[1];
    const int64_t width = x.shape[2];
    float* y = context.Output(x.shape);
    if (x.size() == 0) return;
    const int64_t rows = x.shape[0] * height;
    const int64_t at_once = std::max<int64_t>(1, kChunk / (width * channels));
    // The cells of a row of the map: along the width they move within it, along the height they come from another.
    ThreadPool::Get().For((rows + at_once - 1) / at_once, [&](int64_t chunk) {
      for (int64_t row = chunk * at_once; row < std::min(rows, (chunk + 1) * at_once); row++) {
        for (int64_t cell = 0; cell < width; cell++) {
          MoveCell(x.data, y, row * width + cell, axis_ == 2 ? cell : row % height, axis_ == 2 ? width : height,
                   axis_ == 2 ? channels : width * channels, channels);
        }
      }
    });
  }

 private:
  // `position` of `length` along the axis, whose neighbours are `stride` elements apart.
  void MoveCell(const float* x, float* y, int64_t cell, int64_t position, int64_t length, int64_t stride,
                int64_t channels) const {
    const float* const from = x + cell * channels;
    float* const to = y + cell * channels;
    for (const Group& group : groups_) {
      const int64_t source = position - group.displacement;
      if (source >= 0 && source < length) {
        Copy(from + group.first - group.displacement * stride, to + group.first, group.end - group.first);
      } else {
        std::fill(to + group.first, to + group.end, 0.0f);
      }
    }
  }

  const int64_t axis_;
  std::vector<Group> groups_;
};

}  // namespace

void RegisterShift() {
  RegisterDefinition({"AsMlpShift",
                      {"x: float"},
                      {"axis: int", "ends: list(int)", "displacements: list(int)"},
                      {"y: float"},
                      SameShape});
  RegisterKernel<ShiftKernel>("AsMlpShift");
}

}  // namespace graph_runtime
