#include "gelu.h"

#include <algorithm>

#include "kernel.h"
#include "ops.h"
#include "thread-pool.h"

namespace graph_runtime {
namespace {

// Elements that a thread takes at a time.
constexpr int64_t kChunk = 1 << 14;

class GeluKernel {
 public:
  explicit GeluKernel(const Attributes&) {}

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 0);
    const int64_t size = x.size();
    float* y = static_cast<float*>(context.OutputOver(0, x.shape));
    ThreadPool::Get().For((size + kChunk - 1) / kChunk, [&](int64_t chunk) {
      const int64_t first = chunk * kChunk;
      ForVectors(std::min(kChunk, size - first), x.floats() + first, y + first,
                 [](int64_t, Vector value) { return Gelu(value); });
    });
  }
};

class GeluGradientKernel {
 public:
  explicit GeluGradientKernel(const Attributes&) {}

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 0);
    const Input dy = context.Get(1, 0);
    if (x.shape != dy.shape) Fail("x is " + ToText(x.shape) + " and its gradient " + ToText(dy.shape));
    const int64_t size = x.size();
    float* dx = static_cast<float*>(context.OutputOver(1, x.shape));
    ThreadPool::Get().For((size + kChunk - 1) / kChunk, [&](int64_t chunk) {
      const int64_t first = chunk * kChunk;
      const int64_t count = std::min(kChunk, size - first);
      ForVectors(count, x.floats() + first, dx + first, [&](int64_t i, Vector value) {
        return GeluSlope(value) * LoadUpTo(dy.floats() + first + i, count - i);
      });
    });
  }
};

}  // namespace

void RegisterGelu() {
  RegisterDefinition({"AsMlpGelu", {"x: float"}, {}, {"y: float"}, SameShape});
  RegisterKernel<GeluKernel>("AsMlpGelu");
  RegisterDefinition({"AsMlpGeluGradient", {"x: float", "dy: float"}, {}, {"dx: float"}, SameShape});
  RegisterKernel<GeluGradientKernel>("AsMlpGeluGradient");
}

}  // namespace graph_runtime
