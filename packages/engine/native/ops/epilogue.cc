#include <algorithm>

#include "gelu.h"
#include "kernel.h"
#include "ops.h"
#include "thread-pool.h"

namespace graph_runtime {
namespace {

// Elements that a thread takes at a time, about.
constexpr int64_t kChunk = 1 << 14;

class EpilogueKernel {
 public:
  explicit EpilogueKernel(const Attributes& attributes) : gelu_(attributes.Text("activation") == "gelu") {
    if (attributes.Integer("residuals") > 1) Fail("there can be one residual");
  }

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 1);
    const float* bias = context.GetVector(1, x.last(), "the bias");
    const float* residual = nullptr;
    if (context.inputs() > 2) {
      const Input added = context.Get(2, 1);
      if (added.shape != x.shape) Fail("the residual is " + ToText(added.shape) + " and must be " + ToText(x.shape));
      residual = added.floats();
    }
    // Whichever has the type of y lends its memory.
    const bool narrow = context.OutputType() == TF_BFLOAT16;
    void* y = residual && !narrow ? context.OutputOver(2, x.shape) : context.OutputOver(0, x.shape);
    if (x.size() == 0) return;
    WithType(context.OutputType(), [&](auto to) {
      Finish(x, bias, residual, static_cast<decltype(to)*>(y));
    });
  }

 private:
  template <typename Y>
  void Finish(const Input& product, const float* bias, const float* residual, Y* y) const {
    const Bfloat16* x = static_cast<const Bfloat16*>(product.data);
    const int64_t columns = product.last();
    const int64_t rows = product.size() / columns;
    const int64_t at_once = std::max<int64_t>(1, kChunk / columns);
    ThreadPool::Get().For((rows + at_once - 1) / at_once, [&](int64_t chunk) {
      for (int64_t row = chunk * at_once; row < std::min(rows, (chunk + 1) * at_once); row++) {
        const int64_t at = row * columns;
        ForVectors(columns, x + at, y + at, [&](int64_t i, Vector value) {
          const int64_t count = std::min<int64_t>(kWidth, columns - i);
          const auto part = [&](const float* from) { return count == kWidth ? Load(from) : LoadPart(from, count); };
          value += part(bias + i);
          if (gelu_) value = Gelu(value);
          return residual ? value + part(residual + at + i) : value;
        });
      }
    });
  }

  const bool gelu_;
};

}  // namespace

void RegisterEpilogue() {
  RegisterDefinition({"AsMlpEpilogue",
                      {"x: bfloat16", "bias: float", "residual: residuals * float"},
                      {"residuals: int >= 0 = 0", "activation: {'none', 'gelu'} = 'none'",
                       "U: {float, bfloat16} = DT_FLOAT"},
                      {"y: U"},
                      SameShape});
  RegisterKernel<EpilogueKernel>("AsMlpEpilogue");
}

}  // namespace graph_runtime
