// Matrix products with weights that are packed once: y = act(x · W + bias) + residual.

#ifndef AS_MLP_OPS_PRODUCT_H_
#define AS_MLP_OPS_PRODUCT_H_

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace graph_runtime {

// Memory for floats on a boundary of cache lines. Throws std::bad_alloc.
class Floats {
 public:
  Floats() = default;
  explicit Floats(int64_t count);
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
};

// A matrix [depth, columns] in panels of as many columns as the inner loop computes at a time; within a panel row
// follows row. The last panel is filled up with zeros.
struct PackedWeights {
  const float* data;
  int64_t depth;
  int64_t columns;

  int64_t panels() const { return Panels(columns); }
  const float* Panel(int64_t index) const { return data + index * depth * PanelColumns(); }

  static int64_t PanelColumns();
  static int64_t Panels(int64_t columns);
};

// Writes weights [depth, columns] as PackedWeights: [panels, depth, PanelColumns] floats.
void Pack(const float* weights, int64_t depth, int64_t columns, float* packed);

// What is done with x · W before it is written.
struct Finish {
  const float* bias = nullptr;  // [columns]
  bool gelu = false;
  const float* residual = nullptr;  // As y, or nullptr. Added last.
};

// x is [rows, weights.depth], y [rows, weights.columns]; on all threads of the pool.
void Multiply(const float* x, int64_t rows, const PackedWeights& weights, const Finish& finish, float* y);

}  // namespace graph_runtime

#endif  // AS_MLP_OPS_PRODUCT_H_
