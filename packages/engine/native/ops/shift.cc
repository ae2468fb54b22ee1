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

typedef char Bytes __attribute__((vector_size(kVectorBytes), aligned(1), may_alias));

// A call of memcpy would cost more than the twenty numbers that most groups have.
template <typename T>
inline void Copy(const T* from, T* to, int64_t count) {
  constexpr int64_t kAtOnce = kVectorBytes / sizeof(T);
  int64_t i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce) {
    *reinterpret_cast<Bytes*>(to + i) = *reinterpret_cast<const Bytes*>(from + i);
  }
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
    void* y = context.Output(x.shape);
    if (x.size() == 0) return;
    WithType(x.type, [&](auto element) {
      using T = decltype(element);
      Move(x, static_cast<const T*>(x.data), static_cast<T*>(y));
    });
  }

 private:
  template <typename T>
  void Move(const Input& map, const T* x, T* y) const {
    const int64_t height = map.shape[1];
    const int64_t width = map.shape[2];
    const int64_t channels = map.last();
    const int64_t rows = map.shape[0] * height;
    const int64_t at_once = std::max<int64_t>(1, kChunk / (width * channels));
    // The cells of a row of the map: along the width they move within it, along the height they come from another.
    ThreadPool::Get().For((rows + at_once - 1) / at_once, [&](int64_t chunk) {
      for (int64_t row = chunk * at_once; row < std::min(rows, (chunk + 1) * at_once); row++) {
        for (int64_t cell = 0; cell < width; cell++) {
          MoveCell(x, y, row * width + cell, axis_ == 2 ? cell : row % height, axis_ == 2 ? width : height,
                   axis_ == 2 ? channels : width * channels, channels);
        }
      }
    });
  }

  // `position` of `length` along the axis, whose neighbours are `stride` elements apart.
  template <typename T>
  void MoveCell(const T* x, T* y, int64_t cell, int64_t position, int64_t length, int64_t stride,
                int64_t channels) const {
    const T* const from = x + cell * channels;
    T* const to = y + cell * channels;
    for (const Group& group : groups_) {
      const int64_t source = position - group.displacement;
      if (source >= 0 && source < length) {
        Copy(from + group.first - group.displacement * stride, to + group.first, group.end - group.first);
      } else {
        std::fill(to + group.first, to + group.end, T{});
      }
    }
  }

  const int64_t axis_;
  std::vector<Group> groups_;
};

}  // namespace

void RegisterShift() {
  RegisterDefinition({"AsMlpShift",
                      {"x: T"},
                      {"axis: int", "ends: list(int)", "displacements: list(int)", "T: {float, bfloat16} = DT_FLOAT"},
                      {"y: T"},
                      SameShape});
  RegisterKernel<ShiftKernel>("AsMlpShift");
}

}  // namespace graph_runtime
