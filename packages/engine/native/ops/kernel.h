// What the operations of this folder need of TensorFlow's C interface for operations and their kernels.

#ifndef AS_MLP_OPS_KERNEL_H_
#define AS_MLP_OPS_KERNEL_H_

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "../graph-session.h"
#include "kernels-c-api.h"
#include "tensorflow/c/ops.h"
#include "vector.h"

namespace graph_runtime {

using Shape = std::vector<int64_t>;

// The attributes of a node, while its kernel is made. All throw std::runtime_error.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}
  int64_t Integer(const char* name) const;
  bool Flag(const char* name) const;
  float Float(const char* name) const;
  std::string Text(const char* name) const;
  std::vector<int64_t> Integers(const char* name) const;

 private:
  TF_OpKernelConstruction* construction_;
};

// A tensor that goes into a kernel; valid while the kernel computes.
struct Input {
  const void* data;
  TF_DataType type;
  Shape shape;
  // For those that the definition of the operation makes floats.
  const float* floats() const { return static_cast<const float*>(data); }
  int64_t size(size_t first = 0) const;  // Product of the sizes from axis `first` on.
  int64_t last() const { return shape.back(); }
};

// One run of a kernel. All throw std::runtime_error.
class Context {
 public:
  explicit Context(TF_OpKernelContext* context) : context_(context) {}
  int inputs() const { return TF_NumInputs(context_); }
  // An input of at least `rank` axes.
  Input Get(int index, size_t rank) const;
  // An input that is a vector of `size` elements.
  const float* GetVector(int index, int64_t size, const char* name) const;
  // The type that the node says an output has.
  TF_DataType OutputType(int index = 0) const { return TF_ExpectedOutputDataType(context_, index); }
  // The memory of an output.
  void* Output(const Shape& shape, int index = 0) const;
  // The memory of the first output: that of an input of the same shape and type that nobody else needs, or new memory.
  void* OutputOver(int input, const Shape& shape) const;

 private:
  TF_OpKernelContext* context_;
};

// Calls `work` with an element of this type, float or bfloat16.
template <typename Work>
void WithType(TF_DataType type, Work work) {
  if (type == TF_BFLOAT16) {
    work(Bfloat16{});
  } else {
    work(float{});
  }
}

[[noreturn]] void Fail(const std::string& what);
std::string ToText(const Shape& shape);

// Makes `Kernel(Attributes)` the kernel of an operation; its `void Compute(const Context&)` may run at the same time on
// several threads. What they throw is what TensorFlow reports.
template <typename Kernel>
void RegisterKernel(const char* name) {
  const auto create = [](TF_OpKernelConstruction* construction) -> void* {
    try {
      return new Kernel(Attributes(construction));
    } catch (const std::exception& error) {
      const Status status(TF_NewStatus());
      TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, error.what());
      TF_OpKernelConstruction_Failure(construction, status.get());
      return nullptr;
    }
  };
  const auto compute = [](void* kernel, TF_OpKernelContext* context) {
    try {
      static_cast<Kernel*>(kernel)->Compute(Context(context));
    } catch (const std::exception& error) {
      const Status status(TF_NewStatus());
      TF_SetStatus(status.get(), TF_INVALID_ARGUMENT, error.what());
      TF_OpKernelContext_Failure(context, status.get());
    }
  };
  const auto free = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  const Status status(TF_NewStatus());
  TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", create, compute, free), status.get());
  if (TF_GetCode(status.get()) != TF_OK) Fail(TF_Message(status.get()));
}

// What TensorFlow is told of an operation; each text is in its own notation.
struct Definition {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> attributes;
  std::vector<const char*> outputs;
  void (*infer_shape)(TF_ShapeInferenceContext*, TF_Status*);
};
void RegisterDefinition(const Definition& definition);

// The output has the shape of the first input.
void SameShape(TF_ShapeInferenceContext* context, TF_Status* status);
// The output has all sizes of the first input but the last, then the size of the third, which is a bias.
void ProductShape(TF_ShapeInferenceContext* context, TF_Status* status);

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_KERNEL_H_
