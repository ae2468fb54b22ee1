#include <algorithm>
#include <cmath>
#include <vector>

#include "gelu.h"
#include "kernel.h"
#include "ops.h"
#include "product.h"
#include "statistics.h"
#include "thread-pool.h"

namespace graph_runtime {
namespace {

// Elements that a thread takes at a time, about.
constexpr int64_t kChunk = 1 << 14;

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Mean and variance of each of `samples` times `size` elements. Their parts are the same on any number of threads, and so
// is the result.
template <typename T>
std::vector<Moments> MomentsOfSamples(const T* x, int64_t samples, int64_t size) {
  const int64_t parts = CeilDiv(size, kChunk);
  std::vector<Moments> found(static_cast<size_t>(samples * parts));
  ThreadPool::Get().For(samples * parts, [&](int64_t i) {
    const int64_t first = i % parts * kChunk;
    found[i] = MomentsOf(x + i / parts * size + first, std::min(kChunk, size - first));
  });
  std::vector<Moments> moments(static_cast<size_t>(samples));
  for (size_t i = 0; i < found.size(); i++) moments[i / parts].Add(found[i]);
  return moments;
}

class GroupNormKernel {
 public:
  explicit GroupNormKernel(const Attributes& attributes)
      : epsilon_(attributes.Float("epsilon")), gelu_(attributes.Text("activation") == "gelu") {}

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 2);
    const int64_t channels = x.last();
    const float* gain = context.GetVector(1, channels, "the gain");
    const float* bias = context.GetVector(2, channels, "the bias");
    void* y = context.OutputOver(0, x.shape);
    const int64_t samples = x.shape[0];
    const int64_t size = x.size(1);
    if (samples == 0 || size == 0) return;
    WithType(x.type, [&](auto from) {
      WithType(context.OutputType(), [&](auto to) {
        Normalize(static_cast<const decltype(from)*>(x.data), static_cast<decltype(to)*>(y), samples, size, channels,
                  gain, bias);
      });
    });
  }

 private:
  template <typename X, typename Y>
  void Normalize(const X* x, Y* y, int64_t samples, int64_t size, int64_t channels, const float* gain,
                 const float* bias) const {
    const std::vector<Moments> moments = MomentsOfSamples(x, samples, size);

    // y = (x − centre) · slope + offset for each channel, where the centre is the mean in floats and the offset holds
    // what that leaves out.
    std::vector<float> slopes(static_cast<size_t>(samples * channels));
    std::vector<float> offsets(slopes.size());
    for (int64_t s = 0; s < samples; s++) {
      const double mean = moments[s].mean;
      const double scale = 1 / std::sqrt(moments[s].variance() + epsilon_);
      const double rest = mean - static_cast<float>(mean);
      for (int64_t c = 0; c < channels; c++) {
        slopes[s * channels + c] = static_cast<float>(scale * gain[c]);
        offsets[s * channels + c] = static_cast<float>(bias[c] - rest * scale * gain[c]);
      }
    }
    const int64_t rows = size / channels;
    const int64_t at_once = std::max<int64_t>(1, kChunk / channels);
    const int64_t parts = CeilDiv(rows, at_once);
    ThreadPool::Get().For(samples * parts, [&](int64_t i) {
      const int64_t s = i / parts;
      const int64_t first = i % parts * at_once;
      const int64_t end = std::min(rows, first + at_once);
      const float centre = static_cast<float>(moments[s].mean);
      for (int64_t row = first; row < end; row++) {
        const int64_t at = (s * rows + row) * channels;
        NormalizeCell(x + at, y + at, channels, centre, &slopes[s * channels], &offsets[s * channels]);
      }
    });
  }

  template <typename X, typename Y>
  void NormalizeCell(const X* x, Y* y, int64_t channels, float centre, const float* slope,
                     const float* offset) const {
    ForVectors(channels, x, y, [&](int64_t i, Vector value) {
      const int64_t count = std::min<int64_t>(kWidth, channels - i);
      const auto part = [&](const float* from) {
        return count == kWidth ? Load(from + i) : LoadPart(from + i, count);
      };
      const Vector normal = (value - centre) * part(slope) + part(offset);
      return gelu_ ? Gelu(normal) : normal;
    });
  }

  const float epsilon_;
  const bool gelu_;
};

}  // namespace

void RegisterGroupNorm() {
  RegisterDefinition({"AsMlpGroupNorm",
                      {"x: T", "gain: float", "bias: float"},
                      {"epsilon: float = 1e-5", "activation: {'none', 'gelu'} = 'none'",
                       "T: {float, bfloat16} = DT_FLOAT", "U: {float, bfloat16} = DT_FLOAT"},
                      "y: U",
                      SameShape});
  RegisterKernel<GroupNormKernel>("AsMlpGroupNorm");
}

}  // namespace graph_runtime
