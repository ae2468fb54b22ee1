#include <memory>
#include <mutex>
#include <utility>

#include "kernel.h"
#include "ops.h"
#include "product.h"

namespace graph_runtime {
namespace {

class LinearKernel {
 public:
  explicit LinearKernel(const Attributes& attributes)
      : gelu_(attributes.Text("activation") == "gelu"), constant_(attributes.Flag("constant_weight")) {
    if (attributes.Integer("residuals") > 1) Fail("there can be one residual");
  }

  void Compute(const Context& context) {
    const Input x = context.Get(0, 1);
    const Input weight = context.Get(1, 2);
    if (weight.shape.size() != 2 || weight.shape[0] != x.last()) {
      Fail("x is " + ToText(x.shape) + " and the weight " + ToText(weight.shape));
    }
    const int64_t columns = weight.shape[1];
    Finish finish;
    finish.bias = context.GetVector(2, columns, "the bias");
    finish.gelu = gelu_;
    Shape shape = x.shape;
    shape.back() = columns;
    if (context.inputs() > 3) {
      const Input residual = context.Get(3, shape.size());
      if (residual.shape != shape) {
        Fail("the residual is " + ToText(residual.shape) + " and must be " + ToText(shape));
      }
      finish.residual = residual.floats();
    }
    int64_t rows = 1;
    for (size_t axis = 0; axis + 1 < shape.size(); axis++) rows *= shape[axis];
    Multiply(x.floats(), rows, *Pack(weight), finish, static_cast<float*>(context.Output(shape)));
  }

 private:
  std::shared_ptr<const PackedWeights> Pack(const Input& weight) {
    const auto pack = [&] {
      return std::make_shared<const PackedWeights>(weight.floats(), weight.shape[0], weight.shape[1]);
    };
    if (!constant_) return pack();
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool fits = packed_ && source_ == weight.floats() && packed_->depth() == weight.shape[0] &&
                      packed_->columns() == weight.shape[1];
    if (!fits) {
      packed_ = pack();
      source_ = weight.floats();
    }
    return packed_;
  }

  const bool gelu_;
  const bool constant_;
  std::mutex mutex_;
  const float* source_ = nullptr;  // What was packed.
  std::shared_ptr<const PackedWeights> packed_;
};

// All but the last size of x, then the columns of the weight.
void InferShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  constexpr int64_t kEnd = INT64_MAX;
  TF_ShapeHandle* x = TF_NewShapeHandle();
  TF_ShapeHandle* weight = TF_NewShapeHandle();
  TF_ShapeHandle* y = TF_NewShapeHandle();
  const auto step = [&](auto call, auto... arguments) {
    if (TF_GetCode(status) == TF_OK) call(context, arguments..., status);
  };
  step(TF_ShapeInferenceContextGetInput, 0, x);
  step(TF_ShapeInferenceContextGetInput, 1, weight);
  step(TF_ShapeInferenceContextWithRankAtLeast, x, 1, x);
  step(TF_ShapeInferenceContextWithRank, weight, 2, weight);
  step(TF_ShapeInferenceContextSubshape, x, 0, -1, x);
  step(TF_ShapeInferenceContextSubshape, weight, 1, kEnd, weight);
  step(TF_ShapeInferenceContextConcatenateShapes, x, weight, y);
  step(TF_ShapeInferenceContextSetOutput, 0, y);
  for (TF_ShapeHandle* handle : {x, weight, y}) TF_DeleteShapeHandle(handle);
}

}  // namespace

void RegisterLinear() {
  RegisterDefinition({"AsMlpLinear",
                      {"x: float", "weight: float", "bias: float", "residual: residuals * float"},
                      {"residuals: int >= 0 = 0", "activation: {'none', 'gelu'} = 'none'",
                       "constant_weight: bool = false"},
                      {"y: float"},
                      InferShape});
  RegisterKernel<LinearKernel>("AsMlpLinear");
}

}  // namespace graph_runtime
