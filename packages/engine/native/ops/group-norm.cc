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

// Splits the rows of samples into parts of about kChunk elements, the same on any number of threads.
struct Parts {
  Parts(int64_t rows, int64_t channels)
      : rows(rows), at_once(std::max<int64_t>(1, kChunk / channels)), count(CeilDiv(rows, at_once)) {}

  const int64_t rows;
  const int64_t at_once;
  const int64_t count;  // In each sample.

  // work(part of all, sample, first row, end) for the parts of all samples.
  template <typename Work>
  void For(int64_t samples, Work work) const {
    ThreadPool::Get().For(samples * count, [&](int64_t i) {
      const int64_t first = i % count * at_once;
      work(i, i / count, first, std::min(rows, first + at_once));
    });
  }
};

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
    const Parts parts(size / channels, channels);
    parts.For(samples, [&](int64_t, int64_t s, int64_t first, int64_t end) {
      const float centre = static_cast<float>(moments[s].mean);
      for (int64_t row = first; row < end; row++) {
        const int64_t at = (s * parts.rows + row) * channels;
        NormalizeCell(x + at, y + at, channels, centre, &slopes[s * channels], &offsets[s * channels]);
      }
    });
  }

  template <typename X, typename Y>
  void NormalizeCell(const X* x, Y* y, int64_t channels, float centre, const float* slope,
                     const float* offset) const {
    ForVectors(channels, x, y, [&](int64_t i, Vector value) {
      const auto part = [&](const float* from) { return LoadUpTo(from + i, channels - i); };
      const Vector normal = (value - centre) * part(slope) + part(offset);
      return gelu_ ? Gelu(normal) : normal;
    });
  }

  const float epsilon_;
  const bool gelu_;
};

// With n = (x − mean) · scale and g = dy · gain: dx = (g − mean(g) − n · mean(g · n)) · scale, the means over a sample;
// the gradients of gain and bias are the sums of dy · n and of dy over everything but the channels.
class GroupNormGradientKernel {
 public:
  explicit GroupNormGradientKernel(const Attributes& attributes) : epsilon_(attributes.Float("epsilon")) {}

  void Compute(const Context& context) const {
    const Input x = context.Get(0, 2);
    const int64_t channels = x.last();
    const float* gain = context.GetVector(1, channels, "the gain");
    const Input dy = context.Get(2, 2);
    if (x.shape != dy.shape) Fail("x is " + ToText(x.shape) + " and its gradient " + ToText(dy.shape));
    float* d_gain = static_cast<float*>(context.Output({channels}, 1));
    float* d_bias = static_cast<float*>(context.Output({channels}, 2));
    std::fill(d_gain, d_gain + channels, 0.0f);
    std::fill(d_bias, d_bias + channels, 0.0f);
    const int64_t samples = x.shape[0];
    const int64_t size = x.size(1);
    float* dx = static_cast<float*>(context.OutputOver(2, x.shape));
    if (samples == 0 || size == 0) return;
    const std::vector<Moments> moments = MomentsOfSamples(x.floats(), samples, size);
    std::vector<Normal> normals(static_cast<size_t>(samples));
    for (int64_t s = 0; s < samples; s++) {
      const double scale = 1 / std::sqrt(moments[s].variance() + epsilon_);
      const float centre = static_cast<float>(moments[s].mean);
      normals[s] = {centre, static_cast<float>(scale), static_cast<float>((centre - moments[s].mean) * scale)};
    }

    // For each part and channel the sums of dy · n and of dy.
    const Parts parts(size / channels, channels);
    std::vector<float> sums(static_cast<size_t>(samples * parts.count * 2 * channels));
    parts.For(samples, [&](int64_t part, int64_t s, int64_t first, int64_t end) {
      float* const with_n = &sums[part * 2 * channels];
      for (int64_t row = first; row < end; row++) {
        const int64_t at = (s * parts.rows + row) * channels;
        AddRow(x.floats() + at, dy.floats() + at, channels, normals[s], with_n, with_n + channels);
      }
    });
    std::vector<double> totals(static_cast<size_t>(2 * channels));
    std::vector<Means> means(static_cast<size_t>(samples));
    for (int64_t s = 0; s < samples; s++) {
      std::vector<double> of_sample(totals.size());
      for (int64_t part = s * parts.count; part < (s + 1) * parts.count; part++) {
        for (size_t i = 0; i < of_sample.size(); i++) of_sample[i] += sums[part * of_sample.size() + i];
      }
      double with_n = 0;
      double alone = 0;
      for (int64_t c = 0; c < channels; c++) {
        with_n += of_sample[c] * gain[c];
        alone += of_sample[channels + c] * gain[c];
      }
      means[s] = {static_cast<float>(with_n / size), static_cast<float>(alone / size)};
      for (size_t i = 0; i < totals.size(); i++) totals[i] += of_sample[i];
    }
    for (int64_t c = 0; c < channels; c++) {
      d_gain[c] = static_cast<float>(totals[c]);
      d_bias[c] = static_cast<float>(totals[channels + c]);
    }

    parts.For(samples, [&](int64_t, int64_t s, int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row++) {
        const int64_t at = (s * parts.rows + row) * channels;
        ForVectors(channels, x.floats() + at, dx + at, [&](int64_t i, Vector value) {
          const int64_t left = channels - i;
          const Vector g = LoadUpTo(dy.floats() + at + i, left) * LoadUpTo(gain + i, left);
          return (g - means[s].alone - normals[s].Of(value) * means[s].with_n) * normals[s].scale;
        });
      }
    });
  }

 private:
  // n = (x − centre) · scale + rest, where the centre is the mean in floats and the rest what that leaves out.
  struct Normal {
    float centre;
    float scale;
    float rest;
    Vector Of(Vector x) const { return (x - centre) * scale + rest; }
  };
  struct Means {
    float with_n;
    float alone;
  };

  static void AddRow(const float* x, const float* dy, int64_t channels, const Normal& normal, float* with_n,
                     float* alone) {
    ForVectors(channels, x, with_n, [&](int64_t i, Vector value) {
      const int64_t left = channels - i;
      return LoadUpTo(with_n + i, left) + LoadUpTo(dy + i, left) * normal.Of(value);
    });
    ForVectors(channels, dy, alone,
               [&](int64_t i, Vector value) { return LoadUpTo(alone + i, channels - i) + value; });
  }

  const float epsilon_;
};

// dx like x, the others like the gain.
void GradientShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  for (int output = 0; output < 3 && TF_GetCode(status) == TF_OK; output++) {
    TF_ShapeInferenceContextGetInput(context, output == 0 ? 0 : 1, shape, status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output, shape, status);
  }
  TF_DeleteShapeHandle(shape);
}

}  // namespace

void RegisterGroupNorm() {
  RegisterDefinition({"AsMlpGroupNorm",
                      {"x: T", "gain: float", "bias: float"},
                      {"epsilon: float = 1e-5", "activation: {'none', 'gelu'} = 'none'",
                       "T: {float, bfloat16} = DT_FLOAT", "U: {float, bfloat16} = DT_FLOAT"},
                      {"y: U"},
                      SameShape});
  RegisterKernel<GroupNormKernel>("AsMlpGroupNorm");
  RegisterDefinition({"AsMlpGroupNormGradient",
                      {"x: float", "gain: float", "dy: float"},
                      {"epsilon: float = 1e-5"},
                      {"dx: float", "d_gain: float", "d_bias: float"},
                      GradientShapes});
  RegisterKernel<GroupNormGradientKernel>("AsMlpGroupNormGradient");
}

}  // namespace graph_runtime
