#include "kernel.h"

namespace graph_runtime {
namespace {

void Check(const Status& status) {
  if (TF_GetCode(status.get()) != TF_OK) Fail(TF_Message(status.get()));
}

}  // namespace

void Fail(const std::string& what) { throw std::runtime_error(what); }

std::string ToText(const Shape& shape) {
  std::string text;
  for (int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

int64_t Attributes::Integer(const char* name) const {
  const Status status(TF_NewStatus());
  int64_t value = 0;
  TF_OpKernelConstruction_GetAttrInt64(construction_, name, &value, status.get());
  Check(status);
  return value;
}

bool Attributes::Flag(const char* name) const {
  const Status status(TF_NewStatus());
  unsigned char value = 0;
  TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status.get());
  Check(status);
  return value != 0;
}

float Attributes::Float(const char* name) const {
  const Status status(TF_NewStatus());
  float value = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status.get());
  Check(status);
  return value;
}

std::string Attributes::Text(const char* name) const {
  const Status status(TF_NewStatus());
  int32_t count = 0;
  int32_t length = 0;
  TF_OpKernelConstruction_GetAttrSize(construction_, name, &count, &length, status.get());
  Check(status);
  std::string value(static_cast<size_t>(length), '\0');
  TF_OpKernelConstruction_GetAttrString(construction_, name, value.data(), value.size(), status.get());
  Check(status);
  return value;
}

std::vector<int64_t> Attributes::Integers(const char* name) const {
  const Status status(TF_NewStatus());
  int32_t count = 0;
  int32_t length = 0;
  TF_OpKernelConstruction_GetAttrSize(construction_, name, &count, &length, status.get());
  Check(status);
  std::vector<int64_t> values(static_cast<size_t>(count));
  TF_OpKernelConstruction_GetAttrInt64List(construction_, name, values.data(), count, status.get());
  Check(status);
  return values;
}

int64_t Input::size(size_t first) const {
  int64_t size = 1;
  for (size_t axis = first; axis < shape.size(); axis++) size *= shape[axis];
  return size;
}

Input Context::Get(int index, size_t rank) const {
  const Status status(TF_NewStatus());
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status.get());
  // The run holds the memory; a handle of one's own would keep it from being written over.
  const Tensor handle(tensor);
  Check(status);
  Input input{TF_TensorData(tensor), TF_TensorType(tensor), Shape(static_cast<size_t>(TF_NumDims(tensor)))};
  for (size_t axis = 0; axis < input.shape.size(); axis++) {
    input.shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  }
  if (input.shape.size() < rank) {
    Fail("input " + std::to_string(index) + " is " + ToText(input.shape) + " and needs " + std::to_string(rank) +
         " axes");
  }
  return input;
}

const float* Context::GetVector(int index, int64_t size, const char* name) const {
  const Input input = Get(index, 1);
  if (input.shape.size() != 1 || input.last() != size) {
    Fail(std::string(name) + " is " + ToText(input.shape) + " and must be [" + std::to_string(size) + "]");
  }
  return input.floats();
}

void* Context::Output(const Shape& shape, int index) const {
  const TF_DataType type = OutputType(index);
  size_t bytes = TF_DataTypeSize(type);
  for (int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(size), &bytes)) Fail("the output is too large");
  }
  const Status status(TF_NewStatus());
  const Tensor output(TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes,
                                        status.get()));
  Check(status);
  return TF_TensorData(output.get());
}

void* Context::OutputOver(int input, const Shape& shape) const {
  const Status status(TF_NewStatus());
  int forwarded = -1;
  const Tensor output(TF_ForwardInputOrAllocateOutput(context_, &input, 1, 0, shape.data(),
                                                      static_cast<int>(shape.size()), &forwarded, status.get()));
  Check(status);
  return TF_TensorData(output.get());
}

void RegisterDefinition(const Definition& definition) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(definition.name);
  for (const char* input : definition.inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* attribute : definition.attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* output : definition.outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, definition.infer_shape);
  const Status status(TF_NewStatus());
  TF_RegisterOpDefinition(builder, status.get());
  Check(status);
}

void SameShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, 0, shape, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 0, shape, status);
  TF_DeleteShapeHandle(shape);
}

void ProductShape(TF_ShapeInferenceContext* context, TF_Status* status) {
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

}  // namespace graph_runtime
