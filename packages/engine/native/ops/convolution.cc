#include <algorithm>

#include "kernel.h"
#include "ops.h"
#include "product.h"
#include "thread-pool.h"

namespace graph_runtime {
namespace {

constexpr int64_t kSide = 3;
// Cells that a thread computes at a time, within a row of the map.
constexpr int64_t kCells = 120;

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where the i-th of `parts` parts of `count` begins; parts differ by one at most.
constexpr int64_t Part(int64_t i, int64_t parts, int64_t count) { return i * count / parts; }

// A 3×3 convolution as a product. The three cells of one row of the kernel lie side by side in the map, and those of the next
// output cell begin one cell further: for each row of the kernel x is a matrix whose rows overlap. Nothing is unfolded.
class ConvolutionKernel {
 public:
  explicit ConvolutionKernel(const Attributes& attributes)
      : activation_(attributes.Text("activation") == "relu" ? Activation::kRelu : Activation::kNone) {
    if (attributes.Integer("scales") > 1) Fail("there can be one scale");
  }

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 4);
    const Input weight = context.Get(1, 3);
    const int64_t channels = x.last();
    const int64_t columns = context.Get(2, 1).last();
    const Shape wanted{PackedWeights::Panels(columns), kSide * kSide * channels, PackedWeights::PanelColumns()};
    if (x.shape.size() != 4 || weight.shape != wanted) {
      Fail("x is " + ToText(x.shape) + ", the packed weight " + ToText(weight.shape) + " and the bias [" +
           std::to_string(columns) + "]");
    }
    const Floats bias = FillPanels(context.GetVector(2, columns, "the bias"), columns);
    const bool scaled = context.inputs() > 3;
    const Floats scale = scaled ? FillPanels(context.GetVector(3, columns, "the scale"), columns) : Floats();
    Finish finish;
    finish.scale = scale.data();
    finish.bias = bias.data();
    finish.activation = activation_;
    const PackedWeights weights{weight.floats(), wanted[1], columns};

    const Map map{x.floats(), x.shape[1], x.shape[2], channels};
    float* const y = static_cast<float*>(context.Output({x.shape[0], map.height, map.width, columns}));
    if (x.shape[0] * map.height * map.width * columns == 0) return;
    const int64_t chunks = CeilDiv(map.width, kCells);
    ThreadPool::Get().For(x.shape[0] * map.height * chunks, [&](int64_t i) {
      const int64_t row = i / chunks;
      const int64_t first = Part(i % chunks, chunks, map.width);
      const int64_t end = Part(i % chunks + 1, chunks, map.width);
      ConvolveCells(map, row, first, end, weights, finish, y + (row * map.width + first) * columns);
    });
  }

 private:
  struct Map {
    const float* data;
    int64_t height;
    int64_t width;
    int64_t channels;
  };

  // Cells [first, end) of a row; rows of all images are counted on.
  static void ConvolveCells(const Map& map, int64_t row, int64_t first, int64_t end, const PackedWeights& weights,
                            const Finish& finish, float* y) {
    const int64_t channels = map.channels;
    const int64_t strip = (end - first + 2) * channels;
    const bool inside = first > 0 && end < map.width;
    // Rows that end at the side of the map, with the zeros beside it.
    const Floats strips(inside ? 0 : kSide * strip);
    Segment segments[kSide];
    int64_t count = 0;
    for (int64_t ky = 0; ky < kSide; ky++) {
      const int64_t in_image = row % map.height + ky - 1;
      // A row above or below the map adds nothing.
      if (in_image < 0 || in_image >= map.height) continue;
      const float* source = map.data + ((row + ky - 1) * map.width + first - 1) * channels;
      if (!inside) source = CopyStrip(map, source, first, end, strips.data() + ky * strip);
      segments[count++] = {source, channels, kSide * channels, ky * kSide * channels};
    }
    MultiplySegments(segments, count, end - first, weights, finish, y);
  }

  // `source` is the cell before the first.
  static const float* CopyStrip(const Map& map, const float* source, int64_t first, int64_t end, float* strip) {
    const int64_t channels = map.channels;
    const int64_t before = first == 0 ? 1 : 0;
    const int64_t after = end == map.width ? 1 : 0;
    const int64_t cells = end - first + 2 - before - after;
    float* to = std::fill_n(strip, before * channels, 0.0f);
    to = std::copy_n(source + before * channels, cells * channels, to);
    std::fill_n(to, after * channels, 0.0f);
    return strip;
  }

  const Activation activation_;
};

}  // namespace

void RegisterConvolution() {
  RegisterDefinition({"AsMlpConvolution",
                      {"x: float", "weight: float", "bias: float", "scale: scales * float"},
                      {"scales: int >= 0 = 0", "activation: {'none', 'relu'} = 'none'"},
                      {"y: float"},
                      ProductShape});
  RegisterKernel<ConvolutionKernel>("AsMlpConvolution");
}

}  // namespace graph_runtime
