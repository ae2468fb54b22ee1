#include "kernel.h"
#include "ops.h"
#include "product.h"

namespace graph_runtime {
namespace {

// Weights that stay the same are packed by an operation of its own, so that what is kept is packed.
class PackKernel {
 public:
  explicit PackKernel(const Attributes&) {}

  void Compute(const Context& context) const {
    const Input weight = context.Get(0, 2);
    if (weight.shape.size() != 2) Fail("the weight " + ToText(weight.shape) + " is no matrix");
    const int64_t depth = weight.shape[0];
    const int64_t columns = weight.shape[1];
    void* packed = context.Output({PackedWeights::Panels(columns), depth, PackedWeights::PanelColumns()});
    Pack(weight.floats(), depth, columns, static_cast<float*>(packed));
  }
};

class LinearKernel {
 public:
  explicit LinearKernel(const Attributes& attributes) : gelu_(attributes.Text("activation") == "gelu") {
    if (attributes.Integer("residuals") > 1) Fail("there can be one residual");
  }

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 1);
    const Input weight = context.Get(1, 2);
    const int64_t depth = x.last();
    const int64_t columns = context.Get(2, 1).last();
    const bool packed = weight.shape.size() == 3;
    const Shape wanted = packed ? Shape{PackedWeights::Panels(columns), depth, PackedWeights::PanelColumns()}
                                : Shape{depth, columns};
    if (weight.shape != wanted) {
      Fail("x is " + ToText(x.shape) + ", the weight " + ToText(weight.shape) + " and the bias [" +
           std::to_string(columns) + "]");
    }
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
    float* y = static_cast<float*>(context.Output(shape));
    if (packed) return Multiply(x.floats(), rows, {weight.floats(), depth, columns}, finish, y);
    const Floats made(PackedWeights::Panels(columns) * depth * PackedWeights::PanelColumns());
    Pack(weight.floats(), depth, columns, made.data());
    Multiply(x.floats(), rows, {made.data(), depth, columns}, finish, y);
  }

 private:
  const bool gelu_;
};

// All but the last size of x, then the size of the bias.
void InferShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* x = TF_NewShapeHandle();
  TF_ShapeHandle* bias = TF_NewShapeHandle();
  TF_ShapeHandle* y = TF_NewShapeHandle();
  const auto step = [&](auto call, auto... arguments) {
    if (TF_GetCode(status) == TF_OK) call(context, arguments..., status);
  };
  step(TF_ShapeInferenceContextGetInput, 0, x);
  step(TF_ShapeInferenceContextGetInput, 2, bias);
  step(TF_ShapeInferenceContextWithRankAtLeast, x, 1, x);
  step(TF_ShapeInferenceContextWithRank, bias, 1, bias);
  step(TF_ShapeInferenceContextSubshape, x, 0, -1, x);
  step(TF_ShapeInferenceContextConcatenateShapes, x, bias, y);
  step(TF_ShapeInferenceContextSetOutput, 0, y);
  for (TF_ShapeHandle* handle : {x, bias, y}) TF_DeleteShapeHandle(handle);
}

// How many columns a panel has is between this operation and AsMlpLinear.
void UnknownShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

}  // namespace

void RegisterLinear() {
  RegisterDefinition({"AsMlpLinear",
                      {"x: float", "weight: float", "bias: float", "residual: residuals * float"},
                      {"residuals: int >= 0 = 0", "activation: {'none', 'gelu'} = 'none'"},
                      {"y: float"},
                      InferShape});
  RegisterKernel<LinearKernel>("AsMlpLinear");
  RegisterDefinition({"AsMlpPack", {"weight: float"}, {}, {"packed: float"}, UnknownShape});
  RegisterKernel<PackKernel>("AsMlpPack");
}

}  // namespace graph_runtime
